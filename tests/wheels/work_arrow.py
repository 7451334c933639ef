"""Makes pyarrow do real work; prints what it computed.

Why: libarrow_python lies in the wheel under three names, which shrink folds.
How: work_arrow.py, with the layer on PYTHONPATH. Computes on an array, and writes
and reads back a Parquet file with each codec. The output is compared before and
after. Loading two copies of libarrow_python would fail here: its types would be
registered twice.
"""

import os
import tempfile

import pyarrow
import pyarrow.compute
import pyarrow.dataset
import pyarrow.parquet


def main():
    table = pyarrow.table({"n": list(range(10000)), "word": ["w%d" % (i % 7) for i in range(10000)]})
    print("sum", pyarrow.compute.sum(table["n"]).as_py())
    print("groups", sorted(table.group_by("word").aggregate([("n", "sum")]).to_pylist(), key=str))
    with tempfile.TemporaryDirectory() as directory:
        for codec in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
            path = os.path.join(directory, codec + ".parquet")
            pyarrow.parquet.write_table(table, path, compression=codec)
            print(codec, pyarrow.parquet.read_table(path).equals(table))
        rows = pyarrow.dataset.dataset(directory).count_rows()
        print("rows", rows)
    print("ipc", pyarrow.ipc.open_stream(ipc(table)).read_all().equals(table))


def ipc(table):
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


main()
