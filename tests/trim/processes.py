"""One process that does with BLAS what goes wrong at the edges of a process.

Why: threads that are ended, exceptions that cross Fortran and crashes that are reported all
walk the stack; forks and pools of threads need more of a library than single calls do.
How: processes.py CASE in the layer's interpreter. It prints what it found; what it must end
with, and what else it writes, is known to run.sh. Works on numpy 1.17 to 2.5.
"""

import ctypes
import faulthandler
import glob
import os
import sys
import threading
import time

import numpy as np
import scipy.integrate
import scipy.linalg
import scipy.optimize

RANDOM = np.random.RandomState(3)
A = RANDOM.uniform(-1, 1, (300, 300))


def close(found, expected):
    return bool(np.allclose(found, expected, rtol=1e-9, atol=1e-9))


def product(seed):
    a = np.random.RandomState(seed).uniform(-1, 1, (200, 200))
    return [float((a @ a).sum()), float(scipy.linalg.det(a / 4)), float(scipy.linalg.blas.dgemm(1, a, a).sum())]


def fork():
    """The pool of a parent's threads is gone in its children."""
    import multiprocessing

    here = [product(seed) for seed in range(6)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        there = pool.map(product, range(6))
    print(close(here, there), close(product(5), here[5]))


def threads():
    """Eight at once, each of which OpenBLAS wants to spread over its own."""
    expected = [product(seed) for seed in range(8)]
    found = [None] * 8

    def work(seed):
        for _ in range(5):
            found[seed] = product(seed)

    running = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    print(close(found, expected))


def raise_through_lapack():
    """f2py leaves a callback that raised by longjmp, over the frames of dgees and zgges."""
    for call in (
        lambda: scipy.linalg.schur(A[:9, :9], output="complex", sort=lambda value: 1 / 0),
        lambda: scipy.linalg.schur(A[:9, :9], sort=lambda *value: {}["nothing"]),
        lambda: scipy.integrate.quad(lambda x: 1 / 0, 0, 1),
        lambda: scipy.integrate.odeint(lambda y, t: [][0], [1.0], [0, 1]),
        lambda: scipy.optimize.leastsq(lambda x: int("x"), [1.0]),
        lambda: scipy.optimize.fsolve(lambda x: 1 / 0, 1.0),
    ):
        for _ in range(20):
            try:
                call()
                name = "nothing"
            except Exception as error:
                name = type(error).__name__
        print(name)
    print(close(scipy.linalg.schur(A[:9, :9], sort="lhp")[1] @ np.eye(9), scipy.linalg.schur(A[:9, :9], sort="lhp")[1]))


def errors():
    """Exceptions of C++, which need their tables, and of routines that refuse."""
    import io

    import scipy.fft
    import scipy.io

    for call in (
        lambda: np.linalg.inv(np.zeros((4, 4))),
        lambda: np.linalg.cholesky(-np.eye(4)),
        lambda: scipy.linalg.solve(np.zeros((4, 4)), np.ones(4)),
        lambda: scipy.linalg.lapack.dgetrf(A, overwrite_a="x"),
        lambda: scipy.fft.fft(np.ones(8), workers=-99),
        lambda: scipy.fft.fftn(np.ones((2, 2)), axes=[7]),
        lambda: scipy.io.mmread(io.BytesIO(b"%%MatrixMarket matrix coordinate real general\n1 1 9\n1 x\n")),
        lambda: scipy.optimize.linprog([1], A_eq=[[1]], b_eq=[-1], method="highs").status.real + [],
    ):
        try:
            call()
            print("nothing")
        except Exception as error:
            print(type(error).__name__)


def at_exit():
    """Threads that wait for the interpreter, below Fortran and C, when it goes: they are
    ended there by pthread_exit, which unwinds their stacks."""
    sys.setswitchinterval(1e-5)

    def call_back():
        while True:
            scipy.integrate.quad(lambda x: sum(range(50)), 0, 1)

    def call_back_in_lapack():
        while True:
            scipy.linalg.schur(A[:20, :20], sort=lambda *value: sum(range(50)) > 0)

    def compute():
        while True:
            A @ A

    def factor():
        while True:
            scipy.linalg.svd(A[:80, :80])

    for work in (call_back, call_back_in_lapack, compute, factor):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.3)
    print("going")


def openblas(tree, package):
    return glob.glob(os.path.join(tree, package + ".libs", "*openblas*.so"))[0]


def crash():
    """Below BLAS: what faulthandler says of it."""
    faulthandler.enable()
    library = ctypes.CDLL(openblas(os.path.dirname(os.path.dirname(scipy.__file__)), "scipy"))
    name = next(name for name in ("ddot_", "scipy_ddot_") if hasattr(library, name))
    nowhere = [ctypes.c_void_p(64)] * 5
    print("crashing", flush=True)
    library[name](*nowhere)


globals()[sys.argv[1]]()
