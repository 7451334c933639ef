"""Prints a digest of what each routine of BLAS and LAPACK computes, one a line.

Why: a trimmed OpenBLAS must give the same numbers, bit for bit, as the untouched one with
the kernels of the same processor; a test suite's tolerances would hide that it does not.
How: results.py, with OPENBLAS_NUM_THREADS=1. The routines are called by way of scipy's
wrappers and of numpy, for four types and sizes that take the paths for small, odd and
blocked matrices. An exception is a result like any other. Works on numpy 1.17 to 2.5.
"""

import hashlib
import warnings

import numpy as np
import scipy.linalg
from scipy.linalg import blas, lapack

TYPES = {"s": np.float32, "d": np.float64, "c": np.complex64, "z": np.complex128}
SIZES = (1, 3, 8, 17, 64, 131)


def aligned(values):
    """A copy, by columns, at a multiple of 64: some kernels sum in another order elsewhere."""
    room = np.zeros(values.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    copy = room[start : start + values.nbytes].view(values.dtype).reshape(values.shape, order="F")
    copy[...] = values
    return copy


def matrix(random, kind, rows, columns):
    values = random.uniform(-1, 1, (rows, columns))
    if kind in "cz":
        values = values + 1j * random.uniform(-1, 1, (rows, columns))
    return aligned(values.astype(TYPES[kind]))


def digest(result):
    """Of arrays and numbers, however nested."""
    found = hashlib.sha256()
    stack = [result]
    while stack:
        value = stack.pop()
        if isinstance(value, (tuple, list)):
            stack.extend(reversed(value))
            continue
        value = np.ascontiguousarray(value)
        # A NaN's sign and payload are not computed by anybody.
        value = np.where(value == value, value, np.array(7, value.dtype)) if value.dtype.kind in "fc" else value
        found.update(("%s %r " % (value.dtype, value.shape)).encode() + value.tobytes())
    return found.hexdigest()[:16]


def say(name, call):
    try:
        text = digest(call())
    except Exception as error:
        text = "%s: %s" % (type(error).__name__, " ".join(str(error).split())[:60])
    print(name, text)


def wrapped(module, kind, name):
    """The wrapper of a routine, or of what it is called for complex numbers."""
    for candidate in (kind + name, kind + {"sy": "he", "or": "un", "sp": "hp"}.get(name[:2], "--") + name[2:]):
        if hasattr(module, candidate):
            return getattr(module, candidate)
    return None


def level_one(random, kind, n):
    x, y = matrix(random, kind, n, 1)[:, 0], matrix(random, kind, n, 1)[:, 0]
    for name in ("scal", "axpy", "dot", "dotu", "dotc", "copy", "swap", "rot", "nrm2", "asum"):
        arguments = {"scal": (0.7, x.copy()), "copy": (x, y.copy()), "swap": (x.copy(), y.copy()),
                     "rot": (x, y, 0.6, 0.8), "nrm2": (x,), "asum": (x,)}.get(name, (x, y.copy()))
        call = wrapped(blas, kind, name)
        if name in ("nrm2", "asum") and kind in "cz":
            call = getattr(blas, ("sc" if kind == "c" else "dz") + name)
        if call is not None:
            say("%s%s %d" % (kind, name, n), lambda: call(*arguments))
            if name in ("dot", "axpy", "dotu") and n > 8:
                say("%s%s %d strided" % (kind, name, n), lambda: call(x, y.copy(), n=n // 3, incx=2, incy=3))
    say("i%samax %d" % (kind, n), lambda: getattr(blas, "i%samax" % kind)(x))


def level_two(random, kind, n):
    a, b = matrix(random, kind, n, n), matrix(random, kind, n, n)
    x, y = matrix(random, kind, n, 1)[:, 0], matrix(random, kind, n, 1)[:, 0]
    for trans in (0, 1, 2):
        say("%sgemv %d %d" % (kind, n, trans), lambda: wrapped(blas, kind, "gemv")(0.5, a, x, 2, y, trans=trans))
        for lower in (0, 1):
            for name in ("trmv", "trsv", "tbmv", "tbsv"):
                call = wrapped(blas, kind, name)
                c = a + 8 * np.eye(n, dtype=a.dtype)
                if name[1] == "b":
                    arguments = (min(n - 1, 3), c[: min(n, 4)], x)
                else:
                    arguments = (c, x)
                say("%s%s %d %d %d" % (kind, name, n, trans, lower), lambda: call(*arguments, trans=trans, lower=lower))
    for name in ("ger", "gerc", "geru"):
        if hasattr(blas, kind + name):
            say("%s%s %d" % (kind, name, n), lambda: getattr(blas, kind + name)(0.5, x, y))
    for lower in (0, 1):
        for name in ("symv", "hemv"):
            if hasattr(blas, kind + name):
                say("%s%s %d %d" % (kind, name, n, lower), lambda: getattr(blas, kind + name)(0.5, a, x, lower=lower))
        for name in ("syr", "her", "syr2", "her2"):
            if hasattr(blas, kind + name):
                vectors = (x, y) if name.endswith("2") else (x,)
                say("%s%s %d %d" % (kind, name, n, lower),
                    lambda: getattr(blas, kind + name)(0.5, *vectors, lower=lower))
    return b


def level_three(random, kind, n):
    a, b, c = (matrix(random, kind, n, n) for _ in range(3))
    d = a + 8 * np.eye(n, dtype=a.dtype)
    for one in (0, 1, 2):
        for other in (0, 1, 2):
            say("%sgemm %d %d %d" % (kind, n, one, other),
                lambda: getattr(blas, kind + "gemm")(0.5, a, b, 0.25, c, trans_a=one, trans_b=other))
    for side in (0, 1):
        for lower in (0, 1):
            for name in ("symm", "hemm"):
                if hasattr(blas, kind + name):
                    say("%s%s %d %d %d" % (kind, name, n, side, lower),
                        lambda: getattr(blas, kind + name)(0.5, a, b, 0.5, c, side=side, lower=lower))
            for trans in (0, 1, 2):
                for name in ("trmm", "trsm"):
                    say("%s%s %d %d %d %d" % (kind, name, n, side, lower, trans),
                        lambda: getattr(blas, kind + name)(0.5, d, b, side=side, lower=lower, trans_a=trans))
    for lower in (0, 1):
        for trans in (0, 1, 2):
            for name in ("syrk", "herk", "syr2k", "her2k"):
                if hasattr(blas, kind + name):
                    operands = (a, b) if "2" in name else (a,)
                    say("%s%s %d %d %d" % (kind, name, n, lower, trans),
                        lambda: getattr(blas, kind + name)(0.5, *operands, lower=lower, trans=trans))


def factors(random, kind, n):
    """What LAPACK makes of a matrix; OpenBLAS has kernels of its own for the first five."""
    a, b = matrix(random, kind, n, n), matrix(random, kind, n, n)
    s = np.asfortranarray(a @ a.conj().T + n * np.eye(n, dtype=a.dtype))
    both = {"lower": 0}, {"lower": 1}
    for name, arguments, choices in (
        ("getrf", (a,), ({},)), ("potrf", (s,), both), ("lauum", (s,), both), ("trtri", (s,), both),
        ("gesv", (a, b), ({},)), ("potri", (s,), both), ("posv", (s, b), both), ("trtrs", (s, b), both),
        ("sytrf", (s,), both), ("sysv", (s, b), both), ("geqrf", (a,), ({},)), ("gelqf", (a,), ({},)),
        ("gerqf", (a,), ({},)), ("geqp3", (a,), ({},)), ("gehrd", (a,), ({},)), ("gebal", (a,), ({},)),
        ("syevd", (s,), both), ("syevr", (s,), both), ("sygvd", (s, s), ({},)), ("geev", (a,), ({},)),
        ("gesdd", (a,), ({},)), ("gesvd", (a,), ({},)), ("ggev", (a, s), ({},)), ("gtsv", (a[0, 1:], s[0], a[-1, 1:], b), ({},)),
        ("getc2", (a,), ({},)), ("gecon", (a, 1.0), ({},)), ("pstrf", (s,), both), ("lange", ("F", a), ({},)),
        ("gglse", (a, b, a[0], b[0]), ({},)),
    ):
        call = wrapped(lapack, kind, name)
        for choice in choices if call is not None else ():
            say("%s%s %d %s" % (kind, name, n, choice.get("lower", "")), lambda: call(*arguments, **choice))
    say("%sgetri %d" % (kind, n), lambda: wrapped(lapack, kind, "getri")(*wrapped(lapack, kind, "getrf")(a)[:2]))
    say("%sschur %d" % (kind, n), lambda: scipy.linalg.schur(a))
    say("%sexpm %d" % (kind, n), lambda: scipy.linalg.expm(a))
    say("%slstsq %d" % (kind, n), lambda: scipy.linalg.lstsq(a, b))
    say("%sband %d" % (kind, n), lambda: scipy.linalg.solve_banded((1, 1), s[:3], b) if n > 2 else 0)


def in_numpy(random, kind, n):
    """The other OpenBLAS, where there are two."""
    a, b = matrix(random, kind, n, n), matrix(random, kind, n, n)
    s = a @ a.conj().T + n * np.eye(n, dtype=a.dtype)
    x, y = a[0].copy(), b[:, 0].copy()
    for name, call in (
        ("dot", lambda: np.dot(x, y)), ("vdot", lambda: np.vdot(x, y)), ("gemv", lambda: a @ x),
        ("gemv strided", lambda: a[::2] @ y), ("gemm", lambda: a @ b), ("gemm t", lambda: a.T @ b),
        ("gemm tt", lambda: a.T @ b.T), ("syrk", lambda: a @ a.T), ("syrk t", lambda: a.T @ a),
        ("solve", lambda: np.linalg.solve(s, b)), ("inv", lambda: np.linalg.inv(s)), ("det", lambda: np.linalg.det(a)),
        ("cholesky", lambda: np.linalg.cholesky(s)), ("qr", lambda: tuple(np.linalg.qr(a))),
        ("svd", lambda: tuple(np.linalg.svd(a))), ("eigh", lambda: tuple(np.linalg.eigh(s))),
        ("eig", lambda: tuple(np.linalg.eig(a))), ("lstsq", lambda: tuple(np.linalg.lstsq(a, b, rcond=None))),
    ):
        say("numpy %s %s %d" % (kind, name, n), call)


def main():
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    for kind in TYPES:
        for n in SIZES:
            random = np.random.RandomState(n)
            level_one(random, kind, n)
            level_two(random, kind, n)
            level_three(random, kind, n)
            factors(random, kind, n)
            in_numpy(random, kind, n)
        random = np.random.RandomState(7)
        large = matrix(random, kind, 400, 400)
        say("%sgemm 400" % kind, lambda: getattr(blas, kind + "gemm")(1, large, large))
        say("%sgetrf 400" % kind, lambda: wrapped(lapack, kind, "getrf")(large))
        say("numpy %s gemm 400" % kind, lambda: large @ large)
        level_one(random, kind, 40000)


main()
