"""Makes numpy, scipy and pandas do real work; prints what they computed.

Why: a pruned package that imports may still miss what a call reads or imports late: lazily
loaded subpackages, tables, templates, numpy.testing, numpy.f2py, time zones.
How: work_science.py, with the layer on PYTHONPATH. One line a check (checks.py). Results
are checked against identities (U S V is the matrix again) or published values.
"""

import io
import os
import tempfile
import warnings

import numpy as np
import pandas as pd
import scipy
import scipy.fft
import scipy.integrate
import scipy.interpolate
import scipy.io
import scipy.linalg
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg
import scipy.spatial
import scipy.special
import scipy.stats
from checks import check


def numbers(rows, columns, seed=7):
    return np.random.default_rng(seed).standard_normal((rows, columns))


def linear_algebra():
    a = numbers(40, 40)
    u, s, v = np.linalg.svd(a)
    check("svd", np.allclose(u * s @ v, a), True)
    check("singular values", s[:3])
    t, z = scipy.linalg.schur(a, output="complex")
    check("schur", np.allclose(z @ t @ z.conj().T, a), True)
    b = numbers(40, 3, 8)
    check("solve", np.allclose(a @ np.linalg.solve(a, b), b), True)
    check("scipy solve", np.allclose(scipy.linalg.solve(a, b), np.linalg.solve(a, b)), True)
    check("eigvalsh", np.sort(np.linalg.eigvalsh(a + a.T))[:3])
    check("qr", np.allclose(np.matmul(*np.linalg.qr(a)), a), True)
    check("expm", np.allclose(scipy.linalg.expm(scipy.linalg.logm(np.eye(3) * 2)), np.eye(3) * 2), True)
    check("lstsq", np.linalg.lstsq(a[:, :4], b[:, 0], rcond=None)[0])
    check("cython lapack", sorted(scipy.linalg.cython_lapack.__pyx_capi__)[:2])


def numpy_itself():
    check("fft", np.abs(np.fft.fft(np.sin(np.arange(8)))))
    check("einsum", np.einsum("ij,jk->k", numbers(3, 4), numbers(4, 2)))
    check("polynomial", np.polynomial.Polynomial([2, -3, 1]).roots(), [1, 2])
    check("masked", np.ma.masked_greater(np.arange(6), 3).sum(), 6)
    check("datetime", str(np.datetime64("2024-02-28") + np.timedelta64(2, "D")), "2024-03-01")
    check("generators", [np.random.Generator(kind(3)).integers(1000) for kind in (
        np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64)])
    text = io.StringIO()
    np.savetxt(text, np.eye(2), fmt="%d")
    check("savetxt", text.getvalue(), "1 0\n0 1\n")
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "a.npz")
        np.savez_compressed(path, a=np.arange(5))
        with np.load(path) as back:
            check("savez", back["a"].sum(), 10)
    configuration = np.show_config(mode="dicts")
    check("show_config", sorted(configuration))


def numpy_for_testers():
    """What other packages' own tests use, and lives beside what was removed."""
    import numpy.testing

    np.testing.assert_allclose([1.0, 2.0], [1.0, 2.0 + 1e-9])
    try:
        np.testing.assert_array_equal([1, 2], [1, 3])
        check("assert_array_equal", "says nothing", "an error")
    except AssertionError as error:
        check("assert_array_equal", "Mismatched elements: 1 / 2" in str(error), True)
    np.testing.assert_equal(np.float64("nan"), np.nan)
    check("numpy.testing", sorted(name for name in np.testing.__all__ if not hasattr(np.testing, name)), [])
    import numpy.f2py
    import numpy.f2py.crackfortran
    import numpy.ma.testutils
    import numpy.typing

    check("f2py", callable(numpy.f2py.run_main), True)
    check("f2py include", os.path.basename(numpy.f2py.get_include()), "src")
    check("ma.testutils", numpy.ma.testutils.assert_equal(np.ma.array([1]), np.ma.array([1])))
    check("typing", hasattr(numpy.typing, "NDArray"), True)
    check("test()", callable(np.test) and callable(scipy.test) and callable(pd.test), True)


def transforms():
    x = np.linspace(0, 1, 64)
    check("dct", np.allclose(scipy.fft.idct(scipy.fft.dct(x)), x), True)
    check("butter", scipy.signal.butter(2, 0.3)[0])
    check("welch", scipy.signal.welch(np.sin(20 * x), nperseg=32)[1][:3])
    check("gaussian", scipy.ndimage.gaussian_filter(np.eye(5), 1)[2])
    check("label", scipy.ndimage.label(np.eye(4))[1], 4)
    check("spline", scipy.interpolate.CubicSpline(x, np.sin(x))(0.5), np.sin(0.5))
    check("griddata", scipy.interpolate.griddata(numbers(50, 2), numbers(50, 1), [[0.1, 0.1]]).shape, [1, 1])
    check("make_interp_spline", scipy.interpolate.make_interp_spline(x, x**2)(0.25), 0.0625)
    check("pchip", scipy.interpolate.PchipInterpolator(x, x)(0.3), 0.3)


def sparse():
    n = 60
    a = scipy.sparse.diags([-1, 2, -1], [-1, 0, 1], shape=(n, n), format="csc")
    exact = 2 - 2 * np.cos(np.pi * np.arange(1, 4) / (n + 1))
    found = scipy.sparse.linalg.eigsh(a, 3, sigma=0, v0=np.ones(n))[0]
    check("eigsh", np.allclose(found, exact), True)
    check("svds", scipy.sparse.linalg.svds(a, 2, v0=np.ones(n))[1])
    check("spsolve", np.allclose(a @ scipy.sparse.linalg.spsolve(a, np.ones(n)), 1), True)
    check("cg", scipy.sparse.linalg.cg(a, np.ones(n), maxiter=200)[1], 0)
    check("lobpcg", callable(scipy.sparse.linalg.lobpcg), True)
    check("dijkstra", scipy.sparse.csgraph.dijkstra(abs(a), indices=0)[:4], [0, 1, 2, 3])
    check("kd-tree", scipy.spatial.cKDTree(numbers(30, 2)).query([0, 0])[1])
    check("hull", len(scipy.spatial.ConvexHull(numbers(30, 2)).vertices))
    check("rotation", scipy.spatial.transform.Rotation.from_euler("z", 90, degrees=True).apply([1, 0, 0]), [0, 1, 0])


def calculus():
    optimum = scipy.optimize.minimize(scipy.optimize.rosen, [1.3, 0.7], method="BFGS").x
    check("minimize", np.allclose(optimum, 1, atol=1e-4), True)
    for method in ("Nelder-Mead", "L-BFGS-B", "SLSQP", "trust-constr", "COBYLA"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x = scipy.optimize.minimize(lambda x: ((x - 3) ** 2).sum(), [0.0, 0.0], method=method).x
        check("minimize " + method, np.allclose(x, 3, atol=1e-3), True)
    check("linprog", scipy.optimize.linprog([-1, -2], [[1, 1]], [4], method="highs").fun, -8)
    check("milp", scipy.optimize.milp([-1, -1], constraints=([[2, 1]], 0, 3.5), integrality=[1, 1], bounds=(0, 2)).fun)
    check("brentq", scipy.optimize.brentq(np.cos, 1, 2), np.pi / 2)
    check("curve_fit", scipy.optimize.curve_fit(lambda x, a: a * x, np.arange(5), 3.0 * np.arange(5))[0], [3])
    check("quad", scipy.integrate.quad(np.exp, 0, 1)[0], np.e - 1)
    y = scipy.integrate.solve_ivp(lambda t, y: -y, (0, 1), [1], rtol=1e-9, atol=1e-12).y[0, -1]
    check("solve_ivp", y, np.exp(-1))
    check("odeint", scipy.integrate.odeint(lambda y, t: -y, 1, [0, 1], rtol=1e-10, atol=1e-12)[1, 0], np.exp(-1))


def statistics():
    rows = [[3, 4, 1, 2], [1, 3, 2, 4], [2, 4, 1, 3], [1, 4, 2, 3]]
    trend = scipy.stats.page_trend_test(rows)
    check("page_trend_test", [trend.statistic, trend.pvalue])
    check("page_trend_test exact", scipy.stats.page_trend_test(rows, method="exact").pvalue)
    check("binomtest", scipy.stats.binomtest(7, 10).pvalue, 0.34375)
    check("bws_test", scipy.stats.bws_test([1, 2, 3, 4], [3, 4, 5, 6]).statistic)
    check("ttest", scipy.stats.ttest_ind([1, 2, 3, 4], [2, 3, 4, 9]).pvalue)
    check("somersd", scipy.stats.somersd([1, 2, 3], [1, 3, 2]).statistic)
    check("fisher", scipy.stats.fisher_exact([[8, 2], [1, 5]])[1])
    check("norm", scipy.stats.norm.ppf(0.975), 1.959963984540054)
    check("gamma fit", scipy.stats.gamma.fit([1.0, 2.0, 3.0, 2.5, 1.5], floc=0)[0])
    check("sobol", scipy.stats.qmc.Sobol(3, scramble=False).random(4)[3])
    check("kde", scipy.stats.gaussian_kde([1.0, 2.0, 4.0])(2.0))
    check("mannwhitneyu", scipy.stats.mannwhitneyu([1, 2, 3, 7], [2, 5, 6, 8]).pvalue)
    check("multivariate", scipy.stats.multivariate_normal([0, 0]).cdf([0, 0]), 0.25)
    check("gamma", scipy.special.gamma(0.5) ** 2, np.pi)
    check("hyp2f1", scipy.special.hyp2f1(1, 1, 2, 0.5), 2 * np.log(2))
    check("roots_legendre", scipy.special.roots_legendre(3)[1].sum(), 2)
    check("constants", scipy.constants.speed_of_light, 299792458)
    check("cluster", len(scipy.cluster.hierarchy.linkage(numbers(6, 2))), 5)


def files():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "a.mat")
        scipy.io.savemat(path, {"a": np.arange(4.0)})
        check("loadmat", scipy.io.loadmat(path)["a"].sum(), 6)
        path = os.path.join(directory, "a.wav")
        scipy.io.wavfile.write(path, 8000, np.arange(100, dtype="i2"))
        check("wavfile", scipy.io.wavfile.read(path)[1].sum(), 4950)
        path = os.path.join(directory, "a.mtx")
        scipy.io.mmwrite(path, scipy.sparse.eye(3))
        check("mmread", scipy.io.mmread(path).sum(), 3)


def subpackages():
    """scipy loads these when they are first named."""
    missing = []
    for name in scipy.__all__:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if not hasattr(scipy, name):
                missing.append(name)
    check("scipy subpackages", missing, [])
    check("numpy names", [name for name in np.__all__ if not hasattr(np, name)], [])
    check("pandas names", [name for name in pd.__all__ if not hasattr(pd, name)], [])


def frames():
    times = pd.date_range("2024-03-30", periods=48, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"t": times, "k": list("abcd") * 12, "x": np.arange(48.0)})
    check("groupby", frame.groupby("k")["x"].agg(["sum", "mean", "max"]).to_numpy().ravel())
    other = pd.DataFrame({"k": ["a", "b", "z"], "w": [1, 2, 3]})
    check("merge", frame.merge(other, on="k", how="inner")["w"].sum(), 36)
    check("resample", frame.set_index("t")["x"].resample("D").sum().tolist())
    check("across the change of time", str(times[26]), "2024-03-31 03:00:00+02:00")
    check("tz_convert", str(times.tz_convert("America/New_York")[0]), "2024-03-29 19:00:00-04:00")
    text = frame.to_csv(index=False)
    back = pd.read_csv(io.StringIO(text), parse_dates=["t"])
    check("read_csv", len(back) == 48 and back["x"].equals(frame["x"]), True)
    check("read_csv python", pd.read_csv(io.StringIO("a;b\n1;2\n"), sep=None, engine="python").shape, [1, 2])
    check("json", pd.read_json(io.StringIO(frame[["x"]].to_json()))["x"].sum(), 1128)
    check("pivot", frame.pivot_table(values="x", index="k", aggfunc="mean").to_numpy().ravel())
    check("rolling", frame["x"].rolling(5).mean().iloc[-1], 45)
    check("ewm", frame["x"].ewm(span=3).mean().iloc[-1])
    check("query", len(frame.query("x > 40 and k == 'a'")))
    check("strings", frame["k"].str.upper().value_counts().sort_index().to_dict())
    check("categories", frame["k"].astype("category").cat.categories.tolist())
    check("interval", str(pd.cut(frame["x"], 3).cat.categories[0]))
    check("html", frame.head(2).to_html().count("<td>"), 6)
    check("pickle", pd.read_pickle(io.BytesIO(pickled(frame))).equals(frame), True)
    check("offsets", str(pd.Timestamp("2024-12-24") + pd.offsets.BusinessDay(3)), "2024-12-27 00:00:00")
    check("to_string", frame.head(1).to_string(index=False))
    pd.testing.assert_frame_equal(frame, frame.copy())
    try:
        pd.testing.assert_series_equal(frame["x"], frame["x"] + 1)
        check("assert_series_equal", "says nothing", "an error")
    except AssertionError:
        check("assert_series_equal", "an error", "an error")


def pickled(frame):
    out = io.BytesIO()
    frame.to_pickle(out)
    return out.getvalue()


for part in (linear_algebra, numpy_itself, numpy_for_testers, transforms, sparse, calculus, statistics, files,
             subpackages, frames):
    part()
