"""Run notebooks from top to bottom and store their outputs: python tests/execute.py NOTEBOOK ...

With --changed only those run whose result may differ from the stored one: their code, a module
that they import, a lesson whose check they call, or the data, is not what it was at the last run.
"""

import argparse
import base64
import hashlib
import io
import json
import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
LAST_RUN = ROOT / ".venv" / "notebooks.json"  # a digest for each notebook


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run the notebook's cells in a fresh kernel in `folder`; the outputs go into the notebook."""
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
    )
    client.widget_registry = {}  # nbclient's imitation of a page may wait for ever for a reply
    client.execute()
    for cell in notebook.cells:
        if "widget" in cell.metadata.get("tags", []):
            cell.outputs = []  # the view of a widget is an error message without its kernel
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = smaller(output.data["image/png"])


def smaller(png: str) -> str:
    """A picture in base64, with at most 256 colours: about half of the size."""
    file = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def code(path: Path) -> str:
    cells = nbformat.read(path, 4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def imported(source: str, package: Path) -> set[Path]:
    """The files of the package that a source names, as minigrad.x or from .x, near or far."""
    found, new = set(), {source}
    while new:
        names = re.findall(r"(?:\bminigrad\.|^from \.+)(\w+)", "\n".join(new), re.MULTILINE)
        near = {path for name in names for path in package.glob(f"**/{name}.py")}
        near |= {path for name in names for path in package.glob(f"{name}/**/*.py")}
        new = {path.read_text(encoding="utf-8") for path in near - found}
        found |= near
    return found


def digest(path: Path) -> str:
    """What a notebook's outputs depend on, as a number."""
    root = path.resolve().parent.parent
    source = code(path)
    lesson = root / "notebooks" / path.name
    if lesson.exists() and "recheck(" in source:
        source += code(lesson)
    files = imported(source, root / "minigrad")
    files |= {p for p in (root / "minigrad").rglob("*") if p.is_file() and p.suffix[:3] != ".py"}
    result = hashlib.sha256(source.encode("utf-8"))
    for file in sorted(files):
        result.update(file.relative_to(root).as_posix().encode("utf-8") + file.read_bytes())
    return result.hexdigest()


def was_run(path: Path) -> bool:
    """Whether the cells are numbered as by a run from top to bottom."""
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    return [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] + ".")
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--changed", action="store_true", help="run what may have changed")
    parser.add_argument("--all", dest="changed", action="store_false", help="run all (default)")
    args = parser.parse_args(arguments)
    known = json.loads(LAST_RUN.read_text(encoding="utf-8")) if LAST_RUN.exists() else {}
    for path in (bar := tqdm(args.notebooks)):  # lessons first: each may write to the package
        bar.set_description(path.stem)
        key = f"{path.resolve().parent.name}/{path.name}"
        if args.changed and was_run(path) and known.get(key) == digest(path):
            continue
        notebook = nbformat.read(path, 4)
        execute(notebook, path.parent)
        nbformat.write(notebook, path)
        known[key] = digest(path)  # after the run, which may have written the package
        LAST_RUN.parent.mkdir(exist_ok=True)
        LAST_RUN.write_text(json.dumps(known, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
