"""Prints which Python modules of a layer can be imported.

Why: the smoke tests call what they call; a kept module that nobody calls must still import
as it did in the untouched layer.
How: import_all.py KEPT, with the layer to import from on PYTHONPATH. The names are those of
the .py files (or lone .pyc files) of KEPT, outside directories of tests. One process imports
them all, in order; each line is "NAME ok" or "NAME" and the kind of error: a module may well
want a package that is not there, in both layers.
"""

import contextlib
import importlib
import io
import os
import sys
import warnings

# Running these is their purpose; or they belong to pytest.
NOT_MODULES = {"__main__", "setup", "conftest", "tests", "test", "_examples", "_precompute"}


def modules_of(top):
    for directory, names, files in os.walk(top):
        names[:] = [name for name in names if name.isidentifier() and name != "__pycache__"]
        base = os.path.relpath(directory, top)
        parts = [] if base == "." else base.split(os.sep)
        for file in files:
            stem, suffix = os.path.splitext(file)
            name = parts + ([] if stem == "__init__" else [stem])
            if suffix in (".py", ".pyc") and stem.isidentifier() and name and not NOT_MODULES.intersection(name):
                yield ".".join(name)


def outcome(name):
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            importlib.import_module(name)
        return "ok"
    except BaseException as error:  # SystemExit is a failure to import, too
        return type(error).__name__


def main():
    warnings.simplefilter("ignore")
    names = sorted(set(modules_of(sys.argv[1])))
    sys.argv[1:] = []
    for name in names:
        print(name, outcome(name), flush=True)


main()
