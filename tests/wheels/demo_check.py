"""Computes with numpy, scipy and pandas of the demonstration's layer.

Why: a layer that got smaller and does not work is worth nothing.
How: demo_check.py, with the layer on PYTHONPATH. Decomposes a matrix with both
OpenBLAS copies, and groups a data frame.
"""

import numpy
import pandas
import scipy.linalg


def main():
    matrix = numpy.random.default_rng(1).standard_normal((200, 200))
    left, values, right = scipy.linalg.svd(matrix)
    error = abs(left * values @ right - matrix).max()
    difference = abs(values - numpy.linalg.svd(matrix, compute_uv=False)).max()
    assert error < 1e-10 and difference < 1e-10, (error, difference)
    print("numpy %s, scipy %s: 200 x 200 SVD, both agree" % (numpy.__version__, scipy.__version__))
    frame = pandas.DataFrame({"key": list("aabb"), "value": [1, 2, 3, 4]})
    assert frame.groupby("key")["value"].sum().tolist() == [3, 7]
    print("pandas %s: grouped a data frame" % pandas.__version__)


main()
