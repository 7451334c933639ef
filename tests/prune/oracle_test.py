"""Shows that oracle.py sees each way of asking for a module, and what it leaves alone.

Why: an oracle that says nothing is believed.
How: python3 oracle_test.py. Every case is a tree of a few files, those that are removed, and
1 where the oracle must find something. Ends like the other tests: "N passed, N failed".
"""

import os
import subprocess
import sys
import tempfile

ORACLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oracle.py")

# name, the text of p/__init__.py (or of other files), what is removed, findings
CASES = [
    ("a plain import", {"p/__init__.py": "import p.tests.x"}, ["p/tests"], 1),
    ("an import in a function", {"p/__init__.py": "def f():\n    from p.tests import x"}, ["p/tests"], 1),
    ("an import that may fail", {"p/__init__.py": "try:\n    import p.tests\nexcept ImportError: pass"},
     ["p/tests"], 1),
    ("a relative import", {"p/__init__.py": "from .tests.x import name"}, ["p/tests"], 1),
    ("a submodule by name", {"p/__init__.py": "from . import tests"}, ["p/tests"], 1),
    ("a relative import from a module", {"p/m.py": "from .tests import x"}, ["p/tests"], 1),
    ("a relative import from below", {"p/q/m.py": "from ..tests import x"}, ["p/tests"], 1),
    ("one module of a package that stays", {"p/__init__.py": "from .tests import x, y"}, ["p/tests/x.py"], 1),
    ("a name that is no submodule", {"p/__init__.py": "from .tests import z"}, ["p/tests/x.py"], 0),
    ("import_module", {"p/__init__.py": "importlib.import_module('p.tests.x')"}, ["p/tests"], 1),
    ("import_module, relative", {"p/__init__.py": "import_module('.tests', __name__)"}, ["p/tests"], 1),
    ("__import__", {"p/__init__.py": "__import__('p.tests')"}, ["p/tests"], 1),
    ("a name passed on", {"p/__init__.py": "add_newdoc('p.tests.x', 'f', 'text')"}, ["p/tests"], 1),
    ("__all__", {"p/__init__.py": "__all__ = ['tests', 'other']"}, ["p/tests"], 1),
    ("__all__ +=", {"p/__init__.py": "__all__ += ['tests']"}, ["p/tests"], 1),
    ("lazy_loader.attach", {"p/__init__.py": "lazy.attach(__name__, {'tests'})"}, ["p/tests"], 1),
    ("lazy_loader.attach, names", {"p/__init__.py": "lazy.attach(__name__, submod_attrs={'tests': ['x']})"},
     ["p/tests"], 1),
    ("attach_stub without its stub", {"p/__init__.py": "lazy.attach_stub(__name__, __file__)",
                                      "p/__init__.pyi": "from . import tests"}, ["p/__init__.pyi"], 1),
    ("what a stub imports", {"p/__init__.py": "lazy.attach_stub(__name__, __file__)",
                             "p/__init__.pyi": "from . import tests"}, ["p/tests"], 1),
    ("a stub that nobody attaches", {"p/__init__.pyi": "from . import tests"}, ["p/tests"], 0),
    ("an extension module", {"p/_t.cpython-312-x86_64-linux-gnu.so": "", "p/m.py": "from ._t import f"},
     ["p/_t.cpython-312-x86_64-linux-gnu.so"], 1),
    ("a package that lost its __init__.py", {"p/m.py": "import p.tests"}, ["p/tests/__init__.py"], 1),
    ("an entry point", {"p-1.dist-info/entry_points.txt": "[g]\nname = p.tests.x:f\n"}, ["p/tests"], 1),
    ("bytecode in place of its source", {"p/__init__.py": "import p.m", "p/m.py": "", "p/m.pyc": ""}, ["p/m.py"], 0),
    ("TYPE_CHECKING", {"p/__init__.py": "if TYPE_CHECKING:\n    import p.tests"}, ["p/tests"], 0),
    ("else of TYPE_CHECKING", {"p/__init__.py": "if TYPE_CHECKING:\n    pass\nelse:\n    import p.tests"},
     ["p/tests"], 1),
    ("not TYPE_CHECKING", {"p/__init__.py": "if not TYPE_CHECKING:\n    import p.tests"}, ["p/tests"], 1),
    ("conftest.py", {"p/conftest.py": "import p.tests"}, ["p/tests"], 0),
    ("__main__", {"p/m.py": "if __name__ == '__main__':\n    import p.tests"}, ["p/tests"], 0),
    ("a module that was never there", {"p/__init__.py": "import numpy.tests"}, ["p/tests"], 0),
    ("nothing removed", {"p/__init__.py": "import p.tests.x"}, [], 0),
    ("who asks is removed, too", {"p/q/m.py": "import p.tests"}, ["p/tests", "p/q"], 0),
    ("a comment", {"p/__init__.py": "# import p.tests\nx = 'import p.tests'"}, ["p/tests"], 0),
]
USUAL = {"p/__init__.py": "", "p/tests/__init__.py": "", "p/tests/x.py": "", "p/tests/y.py": ""}


def make(top, files):
    for path, text in files.items():
        path = os.path.join(top, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)


def findings(files, removed):
    kept = {path: text for path, text in files.items()
            if not any(path == name or path.startswith(name + "/") for name in removed)}
    with tempfile.TemporaryDirectory() as top:
        before, after = os.path.join(top, "before"), os.path.join(top, "after")
        make(before, files)
        make(after, kept)
        run = subprocess.run([sys.executable, ORACLE, before, after], stdout=subprocess.PIPE, universal_newlines=True)
        lines = run.stdout.splitlines()
        return lines if run.returncode == (1 if lines else 0) else lines + ["exit status %d" % run.returncode]


def main():
    failed = 0
    for name, files, removed, wanted in CASES:
        lines = findings({**USUAL, **files}, removed)
        good = (len(lines) > 0) == (wanted > 0) and not any(line.startswith("exit") for line in lines)
        failed += not good
        print("%s oracle: %s" % ("ok" if good else "not ok", name))
        if not good:
            print("    " + "\n    ".join(lines or ["no finding"]))
    print("%d passed, %d failed" % (len(CASES) - failed, failed))
    sys.exit(1 if failed else 0)


main()
