"""What a trimmed layer costs to import and computes in the same time as others.

    trim.py UNTOUCHED STRIPPED TRIMMED   prints a table
    trim.py import | calls               one process's figures, as JSON

The trees take turns, each time in a fresh process, so that a busy moment of the machine
meets all. Imports: medians. Calls: minima, on one thread. Bytecode of each tree is kept in a
directory of its own, outside it, and is there before anything is measured. Files are in the
page cache: what a cold start reads from a disk is the bytes in the table of sizes.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

IMPORTS = 21
CALLS = 7  # processes, each the best of ROUNDS
ROUNDS = 10

# Name, how to print it.
ROWS = [
    ("import scipy.linalg: wall ms", "%.0f"),
    ("import scipy.linalg: CPU ms", "%.0f"),
    ("import scipy.linalg: RSS, MiB", "%.1f"),
    ("dot 1000: us", "%.3f"),
    ("matmul 1000x1000: ms", "%.2f"),
    ("scipy dgemm 1000x1000: ms", "%.2f"),
    ("solve 500x500: ms", "%.2f"),
    ("svd 200x200: ms", "%.2f"),
]


def resident():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def measure_import():
    wall, cpu = time.perf_counter(), time.process_time()
    import scipy.linalg  # noqa: F401

    return {
        ROWS[0][0]: 1e3 * (time.perf_counter() - wall),
        ROWS[1][0]: 1e3 * (time.process_time() - cpu),
        ROWS[2][0]: resident(),
    }


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
    import scipy.linalg

    random = np.random.RandomState(1)
    large, medium, small = (np.asfortranarray(random.standard_normal((n, n))) for n in (1000, 500, 200))
    row = large[:, 0].copy()
    return {
        "dot 1000: us": 1e6 * best(lambda: np.dot(row, row), 5000),
        "matmul 1000x1000: ms": 1e3 * best(lambda: large @ large, 1),
        "scipy dgemm 1000x1000: ms": 1e3 * best(lambda: scipy.linalg.blas.dgemm(1, large, large), 1),
        "solve 500x500: ms": 1e3 * best(lambda: np.linalg.solve(medium, medium[0]), 2),
        "svd 200x200: ms": 1e3 * best(lambda: scipy.linalg.svd(small), 1),
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
                found[tree].append(ask(tree, "import", bytecode[tree], OPENBLAS_NUM_THREADS="1"))
        for _ in range(CALLS):
            for tree in trees:
                found[tree].append(ask(tree, "calls", bytecode[tree], OPENBLAS_NUM_THREADS="1"))
    return found


def table(trees):
    found = compare(trees)
    print("\n  %-32s %12s %12s %12s %8s" % ("", "untouched", "stripped", "trimmed", "ratio"))
    for name, form in ROWS:
        choose = statistics.median if name.startswith("import") else min
        values = [choose(run[name] for run in found[tree] if name in run) for tree in trees]
        print("  %-32s" % name, *("%12s" % (form % value) for value in values), "%8.2f" % (values[-1] / values[0]))


if sys.argv[1:] == ["import"]:
    json.dump(measure_import(), sys.stdout)
elif sys.argv[1:] == ["calls"]:
    json.dump(measure_calls(), sys.stdout)
else:
    table(sys.argv[1:])
