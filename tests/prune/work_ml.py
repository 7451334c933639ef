"""Makes scikit-learn, scikit-image and what they stand on do real work; prints the results.

Why: both read data files beside their modules, scikit-image reads its .pyi stubs to find
its functions, networkx and imageio ask importlib.metadata while they are imported.
How: work_ml.py, with the layer on PYTHONPATH. One line a check (checks.py); results that
move with the last bits of a sum are checked as accuracies or as properties.
"""

import importlib
import importlib.metadata
import io
import os
import pickle
import tempfile
import warnings

import numpy as np
from checks import check

DISTRIBUTIONS = ("numpy", "scipy", "pandas", "scikit-learn", "scikit-image", "joblib", "threadpoolctl", "lazy-loader",
                 "networkx", "pillow", "imageio", "tifffile", "packaging", "python-dateutil", "six", "tzdata")


def metadata():
    for name in DISTRIBUTIONS:
        check("version " + name, importlib.metadata.version(name))
    check("requires", sorted(importlib.metadata.requires("scikit-learn"))[:2])
    points = importlib.metadata.entry_points()
    groups = getattr(points, "groups", None) or points.keys()
    check("entry point groups", sorted(groups))
    ours = set(filter(None, (point_owner(point) for group in groups for point in select(points, group))))
    check("entry points", sorted(ours))
    owners = importlib.metadata.packages_distributions()
    check("packages", {name: sorted(set(owners[name])) for name in sorted(owners) if name.isidentifier()})
    licences = [name for name in DISTRIBUTIONS if not has_licence(name)]
    check("without a licence", licences)
    files = importlib.metadata.files("numpy")
    check("RECORD lists only what is there", [str(file) for file in files if missing(file)], [])


def select(points, group):
    return points.select(group=group) if hasattr(points, "select") else points[group]


def point_owner(point):
    """Loads what can be loaded; pandas's wants matplotlib, which is not in the layer."""
    try:
        point.load()
        return "%s %s" % (point.group, point.name)
    except (ImportError, AttributeError) as error:
        return "%s %s: %s" % (point.group, point.name, type(error).__name__)


def has_licence(name):
    words = ("licen", "copying", "notice")
    files = importlib.metadata.files(name) or ()
    return any(word in str(file).lower() and file.locate().exists() for file in files for word in words)


def missing(file):
    """Compiled files are written when somebody feels like it; bin/ is not on sys.path."""
    return not str(file).startswith("..") and "__pycache__" not in str(file) and not file.locate().exists()


def learn():
    from sklearn import datasets, model_selection, pipeline, preprocessing

    iris = datasets.load_iris()
    check("load_iris", [iris.data.shape, iris.target_names.tolist(), len(iris.DESCR) > 1000])
    halves = model_selection.train_test_split(iris.data, iris.target, random_state=0)
    for estimator in estimators():
        line = pipeline.make_pipeline(preprocessing.StandardScaler(), estimator)
        score = line.fit(halves[0], halves[2]).score(halves[1], halves[3])
        check(type(estimator).__name__, score > 0.8, True)
    back = pickle.loads(pickle.dumps(line))
    check("pickle", (back.predict(halves[1]) == line.predict(halves[1])).all(), True)
    check("html", "<div" in line._repr_html_(), True)
    scores = model_selection.cross_val_score(line, iris.data, iris.target, cv=3)
    check("cross_val_score", scores.mean() > 0.8, True)
    search = model_selection.GridSearchCV(line, {"standardscaler__with_mean": [True, False]}, cv=3)
    check("GridSearchCV", search.fit(iris.data, iris.target).best_score_ > 0.8, True)


def estimators():
    from sklearn import discriminant_analysis, ensemble, linear_model, naive_bayes, neighbors, neural_network, svm, tree

    return [linear_model.LogisticRegression(), linear_model.SGDClassifier(random_state=0), svm.SVC(),
            svm.LinearSVC(), tree.DecisionTreeClassifier(random_state=0),
            ensemble.RandomForestClassifier(20, random_state=0),
            ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0),
            ensemble.HistGradientBoostingClassifier(max_iter=20, random_state=0),
            neighbors.KNeighborsClassifier(), naive_bayes.GaussianNB(),
            discriminant_analysis.LinearDiscriminantAnalysis(),
            neural_network.MLPClassifier(max_iter=400, random_state=0)]


def explore():
    from sklearn import cluster, datasets, decomposition, feature_extraction, linear_model, manifold, metrics

    x, y = datasets.make_blobs(60, centers=3, random_state=1, cluster_std=0.5)
    for kind in (cluster.KMeans(3, n_init=3, random_state=0), cluster.AgglomerativeClustering(3),
                 cluster.DBSCAN(eps=1.5), cluster.HDBSCAN()):
        check(type(kind).__name__, metrics.adjusted_rand_score(y, kind.fit_predict(x)) > 0.9, True)
    digits = datasets.load_digits()
    check("PCA", decomposition.PCA(5).fit(digits.data).explained_variance_ratio_)
    check("NMF", decomposition.NMF(3, max_iter=50, init="nndsvd").fit(digits.data[:50]).components_.shape)
    check("TSNE", manifold.TSNE(perplexity=5, random_state=0).fit_transform(x).shape, [60, 2])
    check("TfidfVectorizer", feature_extraction.text.TfidfVectorizer().fit_transform(["a bc bc", "bc de"]).sum())
    check("Lasso", linear_model.Lasso(0.1).fit(x, y).coef_.shape)
    for load in ("load_wine", "load_diabetes", "load_breast_cancer", "load_linnerud"):
        check(load, [getattr(datasets, load)().data.shape, len(getattr(datasets, load)().DESCR) > 500])
    check("load_sample_image", datasets.load_sample_image("flower.jpg").shape)
    check("iris frame", datasets.load_iris(as_frame=True).frame.shape)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "a.svm")
        datasets.dump_svmlight_file(x, y, path)
        check("svmlight", datasets.load_svmlight_file(path)[0].shape)
    from sklearn.utils import all_estimators

    check("all_estimators", len(all_estimators()))
    from sklearn.utils.estimator_checks import check_estimator

    check("check_estimator", callable(check_estimator), True)


def pictures():
    import skimage
    import skimage.io
    from skimage import (color, data, draw, exposure, feature, filters, graph, measure, metrics, morphology,
                         registration, restoration, segmentation, transform, util)

    camera = data.camera()
    check("camera", [camera.shape, int(camera.sum())])
    check("data", [data.coins().shape, data.astronaut().shape, data.checkerboard().shape])
    check("threshold_otsu", filters.threshold_otsu(camera))
    check("gaussian", filters.gaussian(camera, 2).mean())
    check("sobel", filters.sobel(camera).mean())
    check("rank", filters.rank.median(camera[:32, :32], morphology.disk(2)).mean())
    labels = measure.label(data.coins() > filters.threshold_otsu(data.coins()))
    check("label", labels.max())
    check("regionprops", sorted(int(region.area) for region in measure.regionprops(labels))[-3:])
    check("contours", len(measure.find_contours(camera[:64, :64], 100)))
    check("marching_cubes", measure.marching_cubes(draw.ellipsoid(4, 4, 4), 0)[0].shape)
    check("resize", transform.resize(camera, (16, 16)).shape)
    check("rotate", transform.rotate(camera, 30).mean())
    check("radon", transform.radon(camera[:32, :32].astype(float), theta=[0, 45], circle=False).shape)
    check("hough", len(transform.hough_line(camera[:64, :64] > 100)[0]))
    check("canny", feature.canny(camera[:128, :128]).sum())
    check("hog", feature.hog(camera[:64, :64]).shape)
    check("orb", orb(feature, camera))
    check("watershed", segmentation.watershed(filters.sobel(camera[:64, :64]), 5).max())
    check("slic", segmentation.slic(data.astronaut()[:64, :64], 10).shape)
    check("equalize", exposure.equalize_hist(camera).mean())
    check("lab", color.rgb2lab(data.astronaut()[:8, :8]).mean())
    check("phase", registration.phase_cross_correlation(camera, np.roll(camera, 3, 0))[0])
    check("denoise", restoration.denoise_tv_chambolle(camera[:32, :32]).mean())
    check("ssim", metrics.structural_similarity(camera, camera), 1)
    check("path", len(graph.route_through_array(camera[:16, :16], (0, 0), (15, 15))[0]) >= 16, True)
    check("montage", util.montage(np.zeros((4, 8, 8))).shape)
    check("skeleton", morphology.skeletonize(camera[:64, :64] > 100).sum())
    lazily = [name for name in dir(skimage) if not hasattr(skimage, name)]
    check("skimage names", lazily, [])
    for part in (color, data, draw, exposure, feature, filters, graph, measure, metrics, registration, restoration,
                 segmentation, transform):
        check(part.__name__, every_name(part))
    with tempfile.TemporaryDirectory() as directory:
        for name in ("a.png", "a.tif"):
            path = os.path.join(directory, name)
            skimage.io.imsave(path, camera, check_contrast=False)
            check("imread " + name, int(skimage.io.imread(path).sum()), int(camera.sum()))


def every_name(part):
    """The number of names that the stub promises, after loading each."""
    names = [name for name in getattr(part, "__all__", dir(part)) if not name.startswith("_")]
    return len([name for name in names if hasattr(part, name)])


def orb(feature, image):
    found = feature.ORB(n_keypoints=20)
    found.detect_and_extract(image)
    return found.descriptors.shape


def beside():
    import imageio.v3
    import joblib
    import lazy_loader
    import networkx
    import packaging.version
    import PIL.Image
    import threadpoolctl
    import tifffile

    graph = networkx.karate_club_graph()
    check("networkx", [networkx.shortest_path_length(graph, 0, 33), round(networkx.density(graph), 4)])
    check("pagerank", sum(networkx.pagerank(graph).values()), 1)
    check("graph atlas", networkx.graph_atlas(1000).number_of_edges())
    check("connectivity", networkx.node_connectivity(graph))
    check("joblib", joblib.Parallel(n_jobs=2, prefer="threads")(joblib.delayed(abs)(-n) for n in range(3)), [0, 1, 2])
    check("joblib processes", joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(-n) for n in range(3)), [0, 1, 2])
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "a.joblib")
        joblib.dump(np.arange(5), path, compress=3)
        check("joblib file", joblib.load(path).sum(), 10)
        tifffile.imwrite(os.path.join(directory, "a.tif"), np.eye(8, dtype="u1"))
        check("tifffile", tifffile.imread(os.path.join(directory, "a.tif")).sum(), 8)
    check("joblib hash", joblib.hash("a"))
    check("packaging", packaging.version.Version("1.10") > packaging.version.Version("1.9"), True)
    out = io.BytesIO()
    PIL.Image.fromarray(np.zeros((8, 8, 3), "u1")).save(out, "JPEG")
    check("imageio", imageio.v3.imread(out.getvalue(), extension=".jpg").shape, [8, 8, 3])
    check("lazy_loader", lazy_loader.load("numpy").__name__, "numpy")
    check("threadpoolctl", sorted({pool["user_api"] for pool in threadpoolctl.threadpool_info()}))
    import dateutil.parser
    import dateutil.tz
    import dateutil.zoneinfo

    check("dateutil", str(dateutil.parser.parse("3 Oct 2024 10:00 +0200")), "2024-10-03 10:00:00+02:00")
    check("dateutil zones", len(dateutil.zoneinfo.get_zonefile_instance().zones) > 500, True)
    check("tzdata", importlib.import_module("tzdata").IANA_VERSION)
    import zoneinfo

    zoneinfo.reset_tzpath(to=[])
    check("zoneinfo of the layer", str(zoneinfo.ZoneInfo("Asia/Kathmandu")), "Asia/Kathmandu")


warnings.simplefilter("ignore")
for part in (metadata, learn, explore, pictures, beside):
    part()
