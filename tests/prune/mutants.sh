#!/bin/bash
# Removals that are known to break something, each of which the prune tier must notice.
#
# Why: run.sh passing says something only if it would fail after a wrong rule. These are
# rules that slimming scripts in use have had, and the users who found out.
# How: `mutants.sh [LAYER...]`. One file or directory at a time is taken out of a copy of an untouched
# layer; oracle.py must have a finding, or the smoke tests must end otherwise, whichever the
# list says.
set -euo pipefail
# shellcheck source=tests/wheels/lib.sh
. "$(dirname "$0")/../wheels/lib.sh"

PRUNE=$ROOT/tests/prune
COPIES=$ROOT/build/prune/mutants

# Layer, who must notice, and what is removed, as a glob below the layer.
MUTANTS='
ml126 oracle numpy/core/_multiarray_tests.*.so
ml126 oracle numpy/core/_umath_tests.*.so
ml22 oracle numpy/_core/tests
ml22 oracle numpy/testing
ml22 oracle numpy/_pytesttester.py
ml22 oracle numpy/f2py
ml22 oracle numpy/ma/testutils.py
ml22 oracle scipy/_lib/_testutils.py
ml22 oracle scipy/stats/_page_trend_test.py
ml22 work scipy/stats/_sobol_direction_numbers.npz
ml22 oracle scipy/special/tests
ml22 oracle pandas/_testing
ml22 oracle pandas/_libs/testing.*.so
ml22 oracle sklearn/utils/_testing.py
ml22 oracle sklearn/utils/_test_common
ml22 work sklearn/datasets/data/iris.csv
ml22 work sklearn/datasets/descr
ml22 oracle skimage/filters/__init__.pyi
ml22 oracle skimage/_shared/tester.py
ml22 work skimage/data/camera.png
ml22 oracle networkx/classes/tests
ml22 work networkx/generators/atlas.dat.gz
ml22 work numpy-*.dist-info/METADATA
ml22 work numpy-*.dist-info/LICENSE.txt
ml22 work tzdata/zoneinfo/Asia
ml22 work dateutil/zoneinfo/dateutil-zoneinfo.tar.gz
boto work botocore/data/endpoints.json
boto work botocore/data/partitions.json
boto work botocore/data/_retry.json
boto work botocore/data/sdk-default-configuration.json
boto work botocore/data/s3/*/waiters-2.json
boto work botocore/data/s3/*/paginators-1.json
boto work botocore/data/s3/*/endpoint-rule-set-1.json.gz
boto work botocore/data/dynamodb
boto work boto3/data/s3
boto oracle botocore/docs
boto oracle boto3/docs
boto oracle botocore/vendored
'

scripts_of() {
	case $1 in
	boto) echo work_boto.py s3 dynamodb sts sqs lambda ;;
	*) printf '%s\n' work_science.py work_ml.py ;;
	esac
}

# work TREE SCRIPT ARGUMENT...
work() {
	local tree=$1 script=$2
	shift 2
	PYTHONPATH=$tree PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=2 \
		"$python" -S "$PRUNE/$script" "$@" 2>/dev/null || echo "exit status $?"
}

# works LAYER TREE: what all its scripts say.
works() {
	local words
	scripts_of "$1" | while read -r -a words; do
		work "$2" "${words[@]}"
	done
}

# begin LAYER: a copy to remove from; kept while the layer stays the same.
begin() {
	copy=$COPIES/$1
	[ ! -d "$copy" ] || return 0
	rm -rf "$COPIES"
	mkdir -p "$COPIES"
	before=$("$WHEELS/fetch.sh" "$1") || die "$1: no untouched tree"
	python=$(python_for "$(pin "$1" python)") || return 1
	cp -a "$before" "$copy"
	works "$1" "$before" >"$COPIES/wanted"
}

notices_oracle() {
	! "$(pip_python)" -W ignore "$PRUNE/oracle.py" "$before" "$copy" >"$COPIES/oracle"
}

notices_work() {
	! works "$1" "$copy" | cmp -s - "$COPIES/wanted"
}

# try LAYER WHO GLOB
try() {
	local found
	mapfile -t found < <(cd "$copy" && compgen -G "$3")
	[ "${#found[@]}" -gt 0 ] || die "$1 has no $3"
	(cd "$copy" && rm -rf -- "${found[@]}")
	if "notices_$2" "$1"; then
		ok "$1 without $3: noticed by the $2"
	else
		not_ok "$1 without $3: not noticed by the $2"
	fi
	(cd "$before" && cp -a --parents -- "${found[@]}" "$copy/")
}

copy='' before='' python=''
while read -r layer who glob; do
	[ -n "$layer" ] || continue
	case " ${*:-$layer} " in
	*" $layer "*) ;;
	*) continue ;;
	esac
	if begin "$layer"; then
		try "$layer" "$who" "$glob"
	else
		skip "$layer without $glob: no Python here"
	fi
done <<<"$MUTANTS"
rm -rf "$COPIES"
tally
