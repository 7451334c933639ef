"""Says which kept files of a pruned layer still ask for something that was removed.

Why: what `sofold shrink` removes must be judged by somebody who has not read its
table of rules. This reads both trees from scratch, with Python's own parser.
How: oracle.py BEFORE AFTER [--look]. BEFORE and AFTER are directories as they stand on
sys.path. Every import of every kept .py file that finds something in BEFORE must find the
same kind of thing (package, module, namespace) in AFTER:
  - import a.b, from a import b, with any number of leading dots, wherever it stands: in
    functions, under try/except ImportError;
  - import_module("a.b"), __import__("a.b"), find_spec("a.b"), importorskip("a.b"),
    importlib.resources.files("a.b") and pkgutil.get_data("a.b", ...);
  - names of submodules in a package's __all__;
  - a string that is a module's whole dotted name, wherever it stands: numpy 1.26 does
    __import__ of names that it gives to add_newdoc();
  - lazy_loader.attach(__name__, submodules, submod_attrs), and attach_stub(), which
    needs the .pyi beside the file and everything that one imports;
  - a method or class in *.dist-info/entry_points.txt.
What does not is printed, "FILE:LINE: WHAT (MODULE is gone)", and the exit status is 1.

With --look it also lists, to be judged by a person, what asks but may not matter:
  type      imports under `if TYPE_CHECKING`
  conftest  imports by conftest.py, which pytest alone reads
  main      imports under `if __name__ == "__main__"`
  script    modules named by strings in files that cannot be imported: PyInstaller's hooks
  data      strings in kept .py files that end in the name of a removed file
  folder    parts of paths in kept .py files that are the name of a directory that is gone
  binary    names of removed modules in the bytes of kept extension modules
  metadata  calls of importlib.metadata and pkg_resources in kept files
None of these changes the exit status.
"""

import ast
import os
import re
import sys

BY_NAME = {"import_module", "__import__", "find_spec", "importorskip", "get_data", "files", "load_module"}
DOTTED = re.compile(r"^\.*[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")
DOTTED_BYTES = re.compile(rb"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?![\w./])")
CODE = (".py", ".pyc", ".so")
METADATA = re.compile(r"\b(importlib[._]metadata|importlib import metadata|pkg_resources)\b")


class Tree:
    """The files of a directory, and what an import finds among them."""

    def __init__(self, top):
        self.files = set()
        for directory, names, files in os.walk(top):
            names[:] = [name for name in names if name not in ("__pycache__", ".sofold")]
            base = os.path.relpath(directory, top)
            base = "" if base == "." else base + "/"
            self.files.update(base + name for name in files)
        self.kinds = {}
        for path in self.files:
            self.add(path)

    def add(self, path):
        if not path.endswith(CODE):
            return
        parts = path.split("/")
        stem = parts[-1].split(".")[0]
        if ".dist-info" in parts[0] or not all(part.isidentifier() for part in parts[:-1] + [stem]):
            return
        for depth in range(1, len(parts)):
            self.kinds.setdefault(".".join(parts[:depth]), "namespace")
        if stem == "__init__":
            self.kinds[".".join(parts[:-1])] = "package"
        else:
            name = ".".join(parts[:-1] + [stem])
            if self.kinds.get(name) != "package":
                self.kinds[name] = "module"


class Reader(ast.NodeVisitor):
    """Collects (line, kind, module names, words) of one file. Kind is "" or one of --look's."""

    def __init__(self, path, kind):
        parts = path.rsplit(".", 1)[0].split("/")
        self.is_package = parts[-1] == "__init__"
        self.is_module = all(part.isidentifier() for part in parts)
        self.package = parts[:-1]
        self.kind = kind
        self.found = []
        self.strings = []
        self.path_parts = []
        self.needs_stub = []

    def say(self, node, names, words):
        self.found.append((node.lineno, self.kind, names, words))

    def absolute(self, level, name):
        """The parts of a relative name, or None where it leads out of the tree."""
        if level == 0:
            return name.split(".") if name else None
        if level > len(self.package):
            return None
        base = self.package[: len(self.package) - level + 1]
        return base + (name.split(".") if name else [])

    def visit_Import(self, node):
        for alias in node.names:
            self.say(node, prefixes(alias.name.split(".")), "import " + alias.name)

    def visit_ImportFrom(self, node):
        base = self.absolute(node.level, node.module or "")
        if not base:
            return
        origin = "." * node.level + (node.module or "")
        self.say(node, prefixes(base), "from %s import ..." % origin)
        for alias in node.names:
            if alias.name != "*":
                self.say(node, [".".join(base + [alias.name])], "from %s import %s" % (origin, alias.name))

    def visit_If(self, node):
        outer = self.kind
        test = ast.dump(node.test)
        if not self.kind and "TYPE_CHECKING" in test and "Not()" not in test:
            self.kind = "type"
        elif not self.kind and "'__name__'" in test and "'__main__'" in test:
            self.kind = "main"
        self.visit(node.test)
        for child in node.body:
            self.visit(child)
        self.kind = outer
        for child in node.orelse:
            self.visit(child)

    def visit_Assign(self, node):
        if self.is_package and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            self.submodules(node, node.value, "__all__ names ")
        self.generic_visit(node)

    def visit_AugAssign(self, node):
        if self.is_package and isinstance(node.target, ast.Name) and node.target.id == "__all__":
            self.submodules(node, node.value, "__all__ names ")
        self.generic_visit(node)

    def submodules(self, node, value, words):
        for name in literals(value):
            if DOTTED.match(name):
                self.say(node, prefixes(self.package + name.lstrip(".").split(".")), words + name)

    def visit_Call(self, node):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in BY_NAME and node.args:
            self.by_name(node, called)
        elif called == "attach_stub":
            self.needs_stub.append(node.lineno)
        elif called in ("attach", "_attach"):
            for value in node.args[1:] + [keyword.value for keyword in node.keywords]:
                self.submodules(node, value, called + "() names ")
        elif called in ("join", "joinpath", "Path", "PurePath", "files", "add_data_dir", "add_subpackage"):
            self.path_parts.extend((node.lineno, text) for value in node.args for text in literals(value))
        self.generic_visit(node)

    def visit_BinOp(self, node):
        if isinstance(node.op, ast.Div):
            self.path_parts.extend((node.lineno, text) for text in literals(node.right))
        self.generic_visit(node)

    def by_name(self, node, called):
        for name in literals(node.args[0])[:1]:
            if DOTTED.match(name):
                parts = self.absolute(len(name) - len(name.lstrip(".")), name.lstrip("."))
                if parts:
                    self.say(node, prefixes(parts), '%s("%s")' % (called, name))

    def visit_Constant(self, node):
        if isinstance(node.value, str) and 2 < len(node.value) < 200 and "\n" not in node.value:
            self.strings.append((node.lineno, node.value))
            if "." in node.value and DOTTED.match(node.value) and node.value[0] != ".":
                kind = self.kind or ("" if self.is_module else "script")
                self.found.append((node.lineno, kind, [node.value], repr(node.value)))


def prefixes(parts):
    return [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def literals(value):
    """The strings in a literal: itself, a list's or tuple's or set's items, a dict's keys."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return [value.value]
    if isinstance(value, ast.Call) and value.args:
        return literals(value.args[0])
    items = value.keys if isinstance(value, ast.Dict) else getattr(value, "elts", [])
    return [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]


def parse(top, path):
    with open(os.path.join(top, path), "rb") as file:
        return ast.parse(file.read(), path)


class Oracle:
    def __init__(self, before, after):
        self.top = after
        self.before, self.after = Tree(before), Tree(after)
        self.gone = {name for name, kind in self.before.kinds.items() if self.after.kinds.get(name) != kind}
        self.removed = self.before.files - self.after.files
        self.lines = {}  # kind -> set of lines

    def add(self, kind, path, line, words):
        self.lines.setdefault(kind, set()).add((path, line, words))

    def judge(self, path, found, kind=""):
        for line, own, names, words in found:
            for name in names:
                if name in self.gone:
                    self.add(kind or own, path, line, "%s (%s is gone)" % (words, name))
                    break

    def read(self, path, kind=""):
        reader = Reader(path, "conftest" if path.endswith("conftest.py") else kind)
        try:
            reader.visit(parse(self.top, path))
        except (SyntaxError, ValueError) as error:
            print("%s: not read: %s" % (path, error), file=sys.stderr)
        self.judge(path, reader.found)
        for line in reader.needs_stub:
            stub = path + "i"
            if stub in self.before.files and stub not in self.after.files:
                self.add("", path, line, "attach_stub() (%s is gone)" % stub)
            elif stub in self.after.files:
                self.judge(stub, self.read_stub(stub))
        return reader

    def read_stub(self, path):
        reader = Reader(path, "")
        reader.visit(parse(self.top, path))
        return reader.found

    def look(self, path, reader):
        """Strings that name a removed file or directory of the same top package."""
        top = path.split("/")[0]
        for line, text in reader.strings:
            name = text.rstrip("/").rsplit("/", 1)[-1]
            for victim in self.by_base.get((top, name), ()):
                if ("/" + victim).endswith("/" + text.lstrip("./")) and victim != path:
                    self.add("data", path, line, "%r (%s is gone)" % (text, victim))
        for line, text in reader.path_parts:
            if text.rstrip("/").rsplit("/", 1)[-1] in self.folders.get(top, ()):
                self.add("folder", path, line, "%r" % text)

    def prepare_look(self):
        self.by_base, self.folders = {}, {}
        kept = {directory for path in self.after.files for directory in parents(path)}
        for path in self.removed:
            top = path.split("/")[0]
            if not path.endswith((".py", ".pyc")) and not top.endswith(".dist-info"):
                self.by_base.setdefault((top, os.path.basename(path)), []).append(path)
            for directory in parents(path):
                if directory not in kept:
                    self.folders.setdefault(top, set()).add(os.path.basename(directory))

    def look_at_binary(self, path):
        names = {name for name in self.gone if "." in name}
        with open(os.path.join(self.top, path), "rb") as file:
            for match in set(DOTTED_BYTES.findall(file.read())):
                if match.decode() in names:
                    self.add("binary", path, 0, match.decode())

    def entry_points(self, path):
        with open(os.path.join(self.top, path), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                match = re.match(r"\s*[^#\[=]+=\s*([\w.]+)", line)
                if match:
                    words = line.strip()
                    self.judge(path, [(number, "", prefixes(match.group(1).split(".")), words)])

    def run(self, look):
        if look:
            self.prepare_look()
        for path in sorted(self.after.files):
            if path.endswith(".py"):
                reader = self.read(path)
                if look:
                    self.look(path, reader)
                    self.look_at_metadata(path)
            elif path.endswith(".dist-info/entry_points.txt"):
                self.entry_points(path)
            elif look and path.endswith(".so"):
                self.look_at_binary(path)

    def look_at_metadata(self, path):
        with open(os.path.join(self.top, path), encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if METADATA.search(line) and not line.lstrip().startswith("#"):
                    self.add("metadata", path, number, line.strip())

    def show(self, kind):
        for path, line, words in sorted(self.lines.get(kind, ())):
            print("%s%s:%d: %s" % (kind and kind + " ", path, line, words))


def parents(path):
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def main():
    arguments = [word for word in sys.argv[1:] if word != "--look"]
    if len(arguments) != 2 or not all(os.path.isdir(top) for top in arguments):
        sys.exit("usage: oracle.py BEFORE AFTER [--look]")
    oracle = Oracle(*map(os.path.abspath, arguments))
    look = "--look" in sys.argv
    oracle.run(look)
    oracle.show("")
    if look:
        for kind in ("type", "conftest", "main", "script", "data", "folder", "binary", "metadata"):
            oracle.show(kind)
    sys.exit(1 if oracle.lines.get("") else 0)


if __name__ == "__main__":
    main()
