"""Makes the packages of the geo layer do real work; prints what they computed.

Why: after `shrink --merge all` one libhdf5 serves h5py and netCDF4, one libtiff
Pillow and PROJ: that they still import says little.
How: work_geo.py, with the layer on PYTHONPATH. Writes and reads back a NetCDF-4,
an HDF5 and a TIFF file (with each compressor the build offers) in a temporary
directory, reads each package's HDF5 file with the other, transforms a coordinate,
buffers a polygon. The output is compared before and after.
"""

import os
import tempfile

import h5py
import netCDF4
import numpy
import pyproj
import shapely
from PIL import Image, features


def hdf5(path):
    values = numpy.arange(10000, dtype="f8").reshape(100, 100)
    with h5py.File(path, "w") as out:
        out.create_dataset("plain", data=values)
        out.create_dataset("packed", data=values, compression="gzip", shuffle=True, fletcher32=True)
        out.create_dataset("szip", data=values, chunks=(10, 10), compression="szip")
        out["packed"].attrs["unit"] = "metre"
    with h5py.File(path) as back:
        assert back["packed"].attrs["unit"] == "metre"
        return [float(back[name][:].sum()) for name in ("plain", "packed", "szip")]


def netcdf(path):
    values = numpy.linspace(0, 1, 5000)
    with netCDF4.Dataset(path, "w", format="NETCDF4") as out:
        out.createDimension("x", len(values))
        for name in ("zlib", "zstd", "bzip2", "szip", "blosc_zstd"):
            out.createVariable(name, "f8", ("x",), compression=name)[:] = values
    with netCDF4.Dataset(path) as back:
        return [round(float(variable[:].sum()), 9) for variable in back.variables.values()]


def round_trip(path, **options):
    """The sum of the pixels read back, or why the file cannot be written."""
    pixels = (numpy.arange(64 * 64 * 3) % 251).astype("u1").reshape(64, 64, 3)
    try:
        Image.fromarray(pixels).save(path, **options)
    except (OSError, ValueError, KeyError) as error:
        return "%s: %s" % (type(error).__name__, error)
    with Image.open(path) as image:
        return int(numpy.asarray(image).astype("i8").sum())


def tiff(directory):
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "tiff_lzma", "zstd", "webp"):
        path = os.path.join(directory, compression + ".tif")
        print("tiff", compression, round_trip(path, compression=compression))


def pictures(directory):
    for kind in ("png", "webp", "jpeg", "jp2", "avif"):
        print("picture", kind, round_trip(os.path.join(directory, "picture." + kind)))


def main():
    with tempfile.TemporaryDirectory() as directory:
        h5_path, nc_path = os.path.join(directory, "a.h5"), os.path.join(directory, "a.nc")
        print("hdf5", hdf5(h5_path))
        print("netcdf", netcdf(nc_path))
        with h5py.File(nc_path) as other:
            print("netcdf through h5py", round(float(other["zlib"][:].sum()), 9))
        tiff(directory)
        pictures(directory)
        print("features", [name for name in sorted(features.get_supported())])
    to_mercator = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True)
    print("mercator", ["%.6f" % c for c in to_mercator.transform(13.4, 52.5)])
    to_utm = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32633", always_xy=True)
    print("utm", ["%.6f" % c for c in to_utm.transform(13.4, 52.5)])
    square = shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0)])
    print("buffer", "%.9f" % square.buffer(0.5).area, shapely.geos_version)


main()
