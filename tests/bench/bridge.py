"""What numpy costs in a layer whose numpy calls scipy's OpenBLAS, against its own.

    bridge.py UNTOUCHED SHRUNK   prints a table; PYTHONPATH has threadpoolctl
    bridge.py import             one process's figures, as JSON: after the imports,
    bridge.py calls              and of single calls, on one thread

The two trees take turns, each time in a fresh process, so that a busy moment of the
machine meets both. Imports: medians. Calls: minima. Bytecode of each tree is kept in
a directory of its own, outside it, and is there before anything is measured.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

IMPORTS = 15
CALLS = 5  # processes, each the best of ROUNDS
ROUNDS = 20

# Name, how to print it.
ROWS = [
    ("import: CPU ms", "%.0f"),
    ("import: RSS, MiB", "%.1f"),
    ("threads", "%d"),
    ("OpenBLAS pools", "%d"),
    ("dot 4x4: us", "%.3f"),
    ("solve 3x3: us", "%.2f"),
    ("svd 50x50: us", "%.0f"),
    ("matmul 1000x1000: ms", "%.2f"),
]


def status(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


def measure_import():
    started = time.process_time()
    import numpy
    import scipy.linalg

    spent = time.process_time() - started
    figures = {
        "import: CPU ms": 1e3 * spent,
        "import: RSS, MiB": status("VmRSS") / 1024,
        "threads": status("Threads"),
    }
    import threadpoolctl

    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["internal_api"] == "openblas"]
    figures["OpenBLAS pools"] = len(pools)
    return figures


def best(operation, times):
    """Seconds a call takes, in the best of some rounds of that many."""
    operation()
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(times):
            operation()
        rounds.append((time.perf_counter() - started) / times)
    return min(rounds)


def measure_calls():
    import numpy as np

    random = np.random.default_rng(1)
    a4, a3, a50, a1000 = (random.standard_normal((n, n)) for n in (4, 3, 50, 1000))
    return {
        "dot 4x4: us": 1e6 * best(lambda: np.dot(a4, a4), 5000),
        "solve 3x3: us": 1e6 * best(lambda: np.linalg.solve(a3, a3[0]), 500),
        "svd 50x50: us": 1e6 * best(lambda: np.linalg.svd(a50), 5),
        "matmul 1000x1000: ms": 1e3 * best(lambda: a1000 @ a1000, 1),
    }


def ask(tree, what, bytecode, **more):
    path = os.pathsep.join([tree, os.environ["PYTHONPATH"]])
    environment = dict(os.environ, PYTHONPATH=path, PYTHONPYCACHEPREFIX=bytecode, **more)
    output = subprocess.run([sys.executable, __file__, what], env=environment, check=True, stdout=subprocess.PIPE)
    return json.loads(output.stdout)


def compare(trees):
    """The figures of every process, for each tree."""
    found = {tree: [] for tree in trees}
    with tempfile.TemporaryDirectory() as scratch:
        bytecode = {tree: os.path.join(scratch, str(i)) for i, tree in enumerate(trees)}
        for tree in trees:
            ask(tree, "import", bytecode[tree])
        for _ in range(IMPORTS):
            for tree in trees:
                found[tree].append(ask(tree, "import", bytecode[tree]))
        for _ in range(CALLS):
            for tree in trees:
                found[tree].append(ask(tree, "calls", bytecode[tree], OPENBLAS_NUM_THREADS="1"))
    return found


def table(trees):
    found = compare(trees)
    print("  %-24s %12s %12s %8s" % ("", "untouched", "shrunk", "ratio"))
    for name, form in ROWS:
        choose = statistics.median if form == "%d" or name.startswith("import") else min
        before, after = (choose(run[name] for run in found[tree] if name in run) for tree in trees)
        print("  %-24s %12s %12s %8.2f" % (name, form % before, form % after, after / before))


if sys.argv[1:] == ["import"]:
    json.dump(measure_import(), sys.stdout)
elif sys.argv[1:] == ["calls"]:
    json.dump(measure_calls(), sys.stdout)
else:
    table(sys.argv[1:])
