"""The house: what importing needs, and that the notebooks are the package's only source."""

import ast
import graphlib
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from conftest import ROOT, package_files
from minigrad.exercise import export_notebook

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def module_name(path: Path) -> str:
    """minigrad/nn.py is nn, minigrad/checkpoint/__init__.py is checkpoint."""
    parts = path.relative_to(ROOT / "minigrad").with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


FILES = {
    module_name(path): path
    for path in sorted((ROOT / "minigrad").rglob("*.py"))
    if path.name != "_modidx.py" and path.read_text(encoding="utf-8")
}
MODULES = sorted(FILES)
NO_WEB = ["serve.writer", "serve.desk"]
TORCH_FREE = [m for m in MODULES if not m.startswith("vision.")]
NUMPY_ALONE = [m for m in TORCH_FREE if m in NO_WEB or not m.startswith("serve.")]


def source(module: str) -> str:
    return FILES[module].read_text(encoding="utf-8")


def run_python(code: str, **options) -> str:
    process = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        **options,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_import_needs_numpy_alone():
    """Refuse every import from site-packages but NumPy's, and look at what came in; each module is
    the first of the package that is imported."""
    names = ["minigrad", *(f"minigrad.{module}" for module in NUMPY_ALONE)]
    code = (
        "import sys\n"
        "import numpy\n"
        "class OnlyNumPy:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        top = name.split('.')[0]\n"
        "        if top not in sys.stdlib_module_names | {'numpy', 'minigrad'}:\n"
        "            raise ImportError(f'{name} is not NumPy')\n"
        "sys.meta_path.insert(0, OnlyNumPy())\n"
        f"for name in {names}:\n"
        "    __import__(name)\n"
        "    assert not {'torch', 'matplotlib', 'tqdm'} & set(sys.modules), name\n"
        "    for loaded in [m for m in sys.modules if m.split('.')[0] == 'minigrad']:\n"
        "        del sys.modules[loaded]\n"
    )
    run_python(code, cwd=ROOT)


def test_nothing_outside_vision_loads_torch():
    """Whether torch is installed or not: an import of it would show, as itself or as an error."""
    modules = ", ".join(f"minigrad.{module}" for module in TORCH_FREE)
    code = f"import sys, {modules}\nprint([m for m in sys.modules if m.split('.')[0] == 'torch'])"
    assert run_python(code, cwd=ROOT).strip() == "[]"
    forbidden = f"import sys\nsys.modules['torch'] = None\nimport {modules}"
    run_python(forbidden, cwd=ROOT)


# gpt.py's two thin methods, from_pretrained and save_pretrained, import the module of a later
# chapter when they are called: users look for them there, and the work is the later chapter's.
# checkpoint's module __getattr__ finds two functions of 0.1 in weights, where they moved.
REACHES_BACK = {("gpt", "weights"), ("checkpoint", "weights")}
REACHES_BACK |= {("checkpoint", "bpe"), ("train", "bpe"), ("generate", "bpe")}
# What a file holds, or an option asks for, decides which model is made.
REACHES_BACK |= {("checkpoint", "llama"), ("generate", "gguf"), ("checkpoint", "finetune")}
REACHES_BACK |= {("train.__main__", "distributed")}  # under mpiexec it hands over


def imports(name: str, code: str, modules: list[str]) -> dict[str, bool]:
    """The modules of the package that a module imports, in whatever form, anywhere in its code;
    for each whether that happens only inside of functions."""
    found: dict[str, bool] = {}
    is_package = any(other.startswith(f"{name}.") for other in modules)
    folder = ["minigrad", *name.split(".")][: None if is_package else -1]

    def visit(node: ast.AST, inside: bool) -> None:
        inside = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        full: list[str] = []
        if isinstance(node, ast.Import):
            full = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) + 1 - node.level] if node.level else []
            start = ".".join([*base, node.module] if node.module else base)
            full = [start, *(f"{start}.{alias.name}" for alias in node.names)]
        for other in (f.removeprefix("minigrad.") for f in full if f.startswith("minigrad.")):
            if other in modules and other != name:
                found[other] = inside and found.get(other, True)
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse(code), False)
    return found


def breaches(rooms: dict[str, str], sources: dict[str, str]) -> list[str]:
    """What breaks the order of the rooms: a look ahead, or modules that import one another."""
    found, graph = [], {}
    for name, code in sources.items():
        used = imports(name, code, list(rooms))
        used = {o: late for o, late in used.items() if not (late and (name, o) in REACHES_BACK)}
        found += [f"{name} imports {other}" for other in used if rooms[other] > rooms[name]]
        graph[name] = set(used)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        found.append("a circle: " + " imports ".join(reversed(error.args[1])))
    return found


def room_number(module: str) -> str:
    """The notebook that exports a module, from the comment at its top."""
    return source(module).split("File to edit: ")[1].split("notebooks/")[1].split(".ipynb")[0]


def test_rooms_import_only_rooms_above_them():
    exported = set()
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, 4).cells:
            for line in cell.source.splitlines():
                if line.startswith(("#| default_exp ", "#| export ", "#| exporti ")):
                    exported.add(line.split()[2].removesuffix(".__init__"))
    assert sorted(exported) == MODULES
    rooms = {module: room_number(module) for module in MODULES}
    assert breaches(rooms, {module: source(module) for module in MODULES}) == []


@pytest.mark.parametrize(
    "code",
    [
        "from .late import f",
        "from . import late",
        "from minigrad.late import f",
        "from minigrad import late",
        "import minigrad.late",
        "import numpy as np, minigrad.late as late",
        "def g():\n    from minigrad.late import f",
        "class C:\n    def g(self):\n        import minigrad.late",
        "from .weights import f",
        "try:\n    from .twin import f\nexcept ImportError:\n    pass",
    ],
)
def test_no_form_of_import_escapes_the_rule_of_rooms(code):
    rooms = {"gpt": "08", "twin": "08", "weights": "09", "late": "10", "end": "11"}
    assert len(breaches(rooms, {"gpt": code, "twin": "from .gpt import h"})) == 1
    assert breaches(rooms, {"end": code, "gpt": "def g():\n    from .weights import f"}) == []


def test_the_rule_of_rooms_knows_packages():
    rooms = {"train": "10", "train.__main__": "12", "muon": "12", "nn": "03"}
    sources = {
        "train": "from ..nn import f",
        "train.__main__": "from . import g\nimport minigrad.nn",
    }
    assert breaches(rooms, sources) == []
    for code in ("from ..muon import f", "from . import __main__", "from .__main__ import f"):
        assert len(breaches(rooms, {"train": code})) == 1


def test_no_name_is_defined_twice():
    found: dict[str, str] = {}
    for module in MODULES:
        for node in ast.parse(source(module)).body:
            may_repeat = ("main", "__getattr__")  # what Python looks for in any module
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name not in may_repeat:
                assert node.name not in found, f"{node.name} in {module} and {found[node.name]}"
                found[node.name] = module


def test_public_functions_have_docstrings_and_type_hints():
    for module in MODULES:
        assert ast.get_docstring(ast.parse(source(module))), f"{module} has no docstring"
        for node in ast.parse(source(module)).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_":
                doc = ast.get_docstring(node)
                assert doc, f"{module}.{node.name} has no docstring"
                assert len(doc.splitlines()) <= 5, f"{module}.{node.name}: a long docstring"
            if isinstance(node, ast.FunctionDef) and node.name[0] != "_":
                assert node.returns is not None, f"{module}.{node.name}: what does it return?"


@pytest.mark.slow
def test_export_is_byte_identical(tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    (tmp_path / "minigrad").mkdir()
    for path in NOTEBOOKS:
        export_notebook(tmp_path / "notebooks" / path.name, tmp_path / "minigrad")
    assert package_files(tmp_path / "minigrad") == package_files(ROOT / "minigrad")
    for path in NOTEBOOKS:  # and a second time, over what is there
        export_notebook(tmp_path / "notebooks" / path.name, tmp_path / "minigrad")
    assert package_files(tmp_path / "minigrad") == package_files(ROOT / "minigrad")
