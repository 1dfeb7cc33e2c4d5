"""How long a chapter takes to read: `python tests/reading.py` prints a table; with `--write` the
minutes in the head of each chapter and in the README's table are made to agree with it."""

import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 45  # minutes for the core path
WORDS_PER_MINUTE, SECONDS_PER_FORMULA, SECONDS_PER_LINE = 200, 6, 4
FORMULA = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$[^$\n]+?\$", re.DOTALL)
HEAD = re.compile(r"\*Reading time: .*?\*\n")
LESSON = "notebooks/[0-9]*_*.ipynb"  # the appendix is three chapters, each with a path of its own


def heading(cell) -> tuple[int, str] | None:
    """Level and text of the heading with which a cell begins."""
    match = re.match(r"(#+) (.*)", cell.source) if cell.cell_type == "markdown" else None
    return match and (len(match[1]), match[2])


def is_deeper(cell) -> bool:
    """Whether a cell opens a collapsed section of what goes beyond the core path."""
    return (heading(cell) or (0, ""))[1].startswith("Deeper: ")


def parts(cells) -> tuple[list, list]:
    """The cells of the core path, and those in sections headed "Deeper:", without their headings
    (a collapsed section ends where JupyterLab ends it: at a heading of its level or above)."""
    core, deeper, level = [], [], None
    for cell in cells:
        found = heading(cell)
        if level and found and found[0] <= level:
            level = None
        if is_deeper(cell):
            level = level or found[0]
        (deeper if level else core).append(cell)
    return core, deeper


def seconds(cell) -> float:
    """The time to read a cell; a collapsed one takes none."""
    if cell.cell_type == "code":
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
        return 0 if hidden else SECONDS_PER_LINE * sum(map(bool, cell.source.split("\n")))
    text, formulas = FORMULA.subn(" ", re.sub(r"\]\([^)]*\)", "]", cell.source))
    words = re.findall(r"[^\s|*#>`_-]\S*", text)
    return 60 / WORDS_PER_MINUTE * len(words) + SECONDS_PER_FORMULA * formulas


def minutes(path: Path) -> tuple[int, int]:
    """Minutes of the core path, and of the whole chapter."""
    core, deeper = parts(nbformat.read(path, 4).cells)
    times = [sum(map(seconds, cells)) / 60 for cells in (core, core + deeper)]
    return round(times[0]), round(times[1])


def sentence(core: int, whole: int) -> str:
    """What the head of a chapter says."""
    deeper = f"; the sections headed “Deeper:” {whole - core} more" if whole > core else ""
    return f"*Reading time: {core} minutes{deeper}. The exercises come on top.*\n"


def write(path: Path) -> None:
    """Make the head of a chapter say how long it takes."""
    notebook = nbformat.read(path, 4)
    head = next(cell for cell in notebook.cells if cell.source.startswith("## Where we are"))
    if not HEAD.search(head.source):
        head.source = head.source.replace("\n", "\n\n*Reading time: *\n", 1)
        nbformat.write(notebook, path)
    for _ in range(3):  # the sentence itself takes time to read
        head.source = HEAD.sub(sentence(*minutes(path)), head.source)
        nbformat.write(notebook, path)


def in_readme(path: Path, text: str) -> str:
    """The README with the minutes of a chapter at the end of its row."""
    row = re.compile(rf"(\(notebooks/{path.name}\).*\|) [^|\n]* \|$", re.MULTILINE)
    core, whole = minutes(path)
    return row.sub(rf"\g<1> {core} of {whole} |", text)


def main() -> None:
    paths = sorted(ROOT.glob(LESSON))
    if "--write" in sys.argv:
        for path in paths:
            write(path)
        readme = ROOT / "README.md"
        text = readme.read_text(encoding="utf-8")
        for path in paths:
            text = in_readme(path, text)
        readme.write_text(text, encoding="utf-8")
    for path in paths:
        core, whole = minutes(path)
        print(f"{path.stem:20} core {core:3}  whole {whole:3}{'  too long' * (core > LIMIT)}")


if __name__ == "__main__":
    main()
