"""The house: what importing needs, and that the notebooks are the package's only source."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from execute import execute

from conftest import ROOT
from minigrad.exercise import export_notebook

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FILES = [p for p in (ROOT / "minigrad").rglob("*.py") if not p.stem.startswith("_")]
MODULES = sorted(".".join(p.relative_to(ROOT / "minigrad").with_suffix("").parts) for p in FILES)
NUMPY_ALONE = [m for m in MODULES if m != "serve" and not m.startswith("vision.")]
TORCH_FREE = [m for m in MODULES if not m.startswith("vision.")]


def package_files(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*.py") if p.name != "_modidx.py")
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def source(module: str) -> str:
    path = (ROOT / "minigrad").joinpath(*module.split(".")).with_suffix(".py")
    return path.read_text(encoding="utf-8")


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


@pytest.mark.parametrize("module", ["", *NUMPY_ALONE])
def test_import_needs_numpy_alone(module):
    """Refuse every import from site-packages but NumPy's, and look at what came in."""
    name = f"minigrad.{module}".rstrip(".")
    code = (
        "import sys\n"
        "import numpy\n"
        "class OnlyNumPy:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        top = name.split('.')[0]\n"
        "        if top not in sys.stdlib_module_names | {'numpy', 'minigrad'}:\n"
        "            raise ImportError(f'{name} is not NumPy')\n"
        "sys.meta_path.insert(0, OnlyNumPy())\n"
        f"import {name}\n"
        "assert not {'torch', 'matplotlib', 'tqdm'} & set(sys.modules)\n"
    )
    run_python(code, cwd=ROOT)


def test_nothing_outside_vision_loads_torch():
    """Whether torch is installed or not: an import of it would show, as itself or as an error."""
    modules = ", ".join(f"minigrad.{module}" for module in TORCH_FREE)
    code = f"import sys, {modules}\nprint([m for m in sys.modules if m.split('.')[0] == 'torch'])"
    assert run_python(code, cwd=ROOT).strip() == "[]"
    forbidden = f"import sys\nsys.modules['torch'] = None\nimport {modules}"
    run_python(forbidden, cwd=ROOT)


def test_rooms_import_only_rooms_above_them():
    order = []
    for path in NOTEBOOKS:
        cells = nbformat.read(path, 4).cells
        for cell in cells:
            for line in cell.source.splitlines():
                if line.startswith(("#| default_exp ", "#| export ")):
                    name = line.split()[2]
                    order += [name] if name not in order else []
    assert sorted(order) == MODULES
    order = sorted(order, key=lambda name: room_number(name))
    for name in order:
        for node in ast.walk(ast.parse(source(name))):
            if isinstance(node, ast.ImportFrom) and node.level:
                folder = name.split(".")[: -node.level]
                used = [node.module] if node.module else [alias.name for alias in node.names]
                for other in (".".join([*folder, module]) for module in used):
                    assert room_number(other) <= room_number(name), f"{name} imports {other}"


def room_number(module: str) -> str:
    """The notebook that exports a module, from the comment at its top."""
    return source(module).split("File to edit: ")[1].split("notebooks/")[1].split(".ipynb")[0]


def test_no_name_is_defined_twice():
    found: dict[str, str] = {}
    for module in MODULES:
        for node in ast.parse(source(module)).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name != "main":
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


def test_export_is_byte_identical(tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    (tmp_path / "minigrad").mkdir()
    for path in NOTEBOOKS:
        export_notebook(tmp_path / "notebooks" / path.name, tmp_path / "minigrad")
    assert package_files(tmp_path / "minigrad") == package_files(ROOT / "minigrad")
    for path in NOTEBOOKS:  # and a second time, over what is there
        export_notebook(tmp_path / "notebooks" / path.name, tmp_path / "minigrad")
    assert package_files(tmp_path / "minigrad") == package_files(ROOT / "minigrad")


@pytest.mark.timeout(1200)
def test_the_course_replays_from_an_empty_package(tmp_path, monkeypatch):
    """Each notebook runs in a fresh kernel that sees only what the chapters before it exported."""
    course = tmp_path / "a course"
    shutil.copytree(ROOT / "notebooks", course / "notebooks")
    no_code = shutil.ignore_patterns("*.py", "__pycache__")  # but texts and trained models
    shutil.copytree(ROOT / "minigrad", course / "minigrad", ignore=no_code)
    (course / "minigrad" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(course))
    for path in NOTEBOOKS:
        notebook = nbformat.read(course / "notebooks" / path.name, 4)
        execute(notebook, course / "notebooks")
        here = "import minigrad; print(minigrad.__path__[0])"
        assert run_python(here, cwd=course / "notebooks").strip() == str(course / "minigrad")
    assert package_files(course / "minigrad") == package_files(ROOT / "minigrad")
