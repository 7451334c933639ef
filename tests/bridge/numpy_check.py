"""What numpy does in a bridged layer.

    numpy_check.py work     results against definitions; one OpenBLAS, one pool
    numpy_check.py refused  a bridge with a limit of 7: what cannot be cut raises

PYTHONPATH is the layer. Prints "# NAME: why" for what fails, and a count.
"""

import os
import signal
import subprocess
import sys

import numpy as np

results = []


def check(name, good, why=""):
    results.append(bool(good))
    if not good:
        print(f"# {name}: {why}")


def mapped():
    """Base names of the bundled libraries in this process."""
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if ".so" in line}
    return sorted(os.path.basename(path) for path in paths if ".libs/" in path)


def matrices(n):
    random = np.random.default_rng(n)
    for kind in "fdFD":
        a = random.standard_normal((n, n)) + n * np.eye(n)
        if kind in "FD":
            a = a + 1j * random.standard_normal((n, n))
        yield kind, a.astype(kind)


def close(a, b):
    tolerance = 1e-3 if a.dtype.char in "fF" else 1e-9
    return np.allclose(a, b, rtol=tolerance, atol=tolerance)


def work():
    for kind, a in matrices(40):
        hermitian = a + a.conj().T
        u, s, vt = np.linalg.svd(a)
        w, v = np.linalg.eig(a)
        e, f = np.linalg.eigh(hermitian)
        q, r = np.linalg.qr(a)
        lower = np.linalg.cholesky(a @ a.conj().T)
        check(f"solve {kind}", close(a @ np.linalg.solve(a, a[0]), a[0]))
        check(f"inv {kind}", close(a @ np.linalg.inv(a), np.eye(40, dtype=kind)))
        check(f"det {kind}", close(np.linalg.slogdet(a)[1], np.log(np.abs(np.linalg.eigvals(a))).sum()))
        check(f"svd {kind}", close((u * s) @ vt, a))
        check(f"eig {kind}", close(a @ v, v * w))
        check(f"eigh {kind}", close(hermitian @ f, f * e))
        check(f"qr {kind}", close(q @ r, a))
        check(f"cholesky {kind}", close(lower @ lower.conj().T, a @ a.conj().T))
        check(f"lstsq {kind}", close(np.linalg.lstsq(a, a[0], rcond=None)[0], np.linalg.solve(a, a[0])))
        check(f"matmul {kind}", close(a @ a.T, np.einsum("ij,kj->ik", a, a)))
        check(f"vdot {kind}", close(np.vdot(a, a), (a.conj() * a).sum()))
    import scipy.linalg

    check("scipy", close(scipy.linalg.inv(a) @ a, np.eye(40)))
    libraries = mapped()
    blas = [name for name in libraries if "openblas" in name]
    check("one OpenBLAS", len(blas) == 1, libraries)
    check("a bridge", "libsofold-ilp64.so" in libraries, libraries)
    threads = os.listdir("/proc/self/task")
    want = int(os.environ["OPENBLAS_NUM_THREADS"])
    check(f"{want} threads", len(threads) == want, len(threads))


def refused():
    for kind, a in matrices(20):
        operations = {
            "solve": lambda: np.linalg.solve(a, a[0]),
            "inv": lambda: np.linalg.inv(a),
            "cholesky": lambda: np.linalg.cholesky(a),
            "eig": lambda: np.linalg.eig(a),
            "eigvals": lambda: np.linalg.eigvals(a),
            "eigh": lambda: np.linalg.eigh(a),
            "eigvalsh": lambda: np.linalg.eigvalsh(a),
            "svd": lambda: np.linalg.svd(a),
            "singular values": lambda: np.linalg.svd(a, compute_uv=False),
            "thin svd": lambda: np.linalg.svd(a, full_matrices=False),
            "lstsq": lambda: np.linalg.lstsq(a, a[0], rcond=None),
            "pinv": lambda: np.linalg.pinv(a),
            "matrix_rank": lambda: np.linalg.matrix_rank(a),
            "cond": lambda: np.linalg.cond(a),
            "2-norm": lambda: np.linalg.norm(a, 2),
            "qr": lambda: np.linalg.qr(a),
        }
        for name, operation in operations.items():
            try:
                operation()
                check(f"{name} {kind}", False, "did not raise")
            except np.linalg.LinAlgError:
                check(f"{name} {kind}", True)
        check(f"matmul {kind}", close(a @ a.T, (a[:, None, :] * a[None, :, :]).sum(-1)))
        check(f"dot {kind}", close(np.dot(a[0], a[1]), (a[0] * a[1]).sum()))
    code = "import numpy; numpy.linalg.det(numpy.eye(20))"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    check("det aborts", child.returncode == -signal.SIGABRT, child.returncode)
    check("and says so", "sofold bridge: dgetrf: too large" in child.stderr, child.stderr)


{"work": work, "refused": refused}[sys.argv[1]]()
print(f"{len(results)} checks, {results.count(False)} bad")
sys.exit(not all(results))
