"""The form of the committed notebooks."""

import ast
import builtins
import functools
import re

import nbformat
import pytest
import reading
from slices import called, changed, reads_and_makes

from conftest import ROOT

PATHS = sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "solutions").glob("*.ipynb")])
SECTIONS = [
    "Where we are",
    "The idea",
    "Build",
    "Check",
    "Look",
    "Your turn",
    "Pitfalls",
    "Export and recap",
]
APPENDIX = [
    "Where we are",
    "1. Chinese",
    "2. A service",
    "3. Optional: vision",
    "Export and recap",
]
README = (ROOT / "README.md").read_text(encoding="utf-8")
KNOWN_TAGS = {"nbval-ignore-output", "nbval-skip", "widget"}


@pytest.fixture(params=PATHS, ids=lambda p: p.stem)
def path(request):
    return request.param


read = functools.cache(functools.partial(nbformat.read, as_version=4))


@pytest.fixture
def notebook(path):
    return read(path)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_size(path):
    assert path.stat().st_size < 500_000


def test_executed_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_errors_warnings_or_vector_pictures_in_outputs(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.id
            assert "image/svg+xml" not in output.get("data", {}), cell.id
            assert "Warning" not in output.get("text", ""), cell.id


def test_metadata_is_stripped(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "jupyter", "jp-MarkdownHeadingCollapsed"}, cell.id
        assert set(cell.metadata.get("tags", [])) <= KNOWN_TAGS, cell.id
        assert set(cell.metadata.get("jupyter", {})) <= {"source_hidden"}, cell.id


def test_what_goes_beyond_the_core_is_collapsed(notebook):
    for cell in notebook.cells:
        collapsed = cell.metadata.get("jp-MarkdownHeadingCollapsed", False)
        assert collapsed == cell.source.startswith("### Deeper: "), cell.id


def test_cell_ids_are_unique_words(notebook):
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", i) for i in ids)


def test_few_outputs_are_ignored_and_those_assert(notebook):
    printing = [cell for cell in code_cells(notebook) if cell.outputs]
    ignored = [c for c in printing if "nbval-ignore-output" in c.metadata.get("tags", [])]
    assert 5 * len(ignored) <= len(printing)
    for cell in ignored:
        assert re.search(r"^\s*assert ", cell.source, re.MULTILINE), cell.id


def test_outputs_name_no_path_of_a_machine_and_no_address(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            assert not re.search(r"/(home|root|tmp|work|Users)/|0x[0-9a-f]{6}", text), cell.id


def test_every_open_names_its_encoding(notebook):
    for cell in code_cells(notebook):
        for call in (n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Call)):
            text = ast.unparse(call)
            if re.fullmatch(r"(open|.*\.(read_text|write_text))", ast.unparse(call.func)):
                assert re.search(r"encoding=|'[rwax]\+?b'", text), (cell.id, text)


def test_sections_stand_in_order(path, notebook):
    if path.parent.name != "notebooks":
        pytest.skip("only lessons have the skeleton")
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    sections = APPENDIX if path.stem == "A1_appendix" else SECTIONS
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == sections


def test_every_figure_has_a_caption_that_follows_it(notebook):
    shown = [c for c in notebook.cells if not c.source.startswith("prediction(")]
    for cell, after in zip(shown, shown[1:]):
        drawn = [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
        if drawn and "draw_house(" not in cell.source:
            assert after.cell_type == "markdown" and "*Figure" in after.source[:400], cell.id


def test_pictures_in_markdown_say_what_they_show(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert all(len(alt) > 10 for alt in re.findall(r"!\[(.*?)\]", cell.source)), cell.id


def test_widgets_are_stored_without_their_views(notebook):
    """A stored view without its kernel shows an error; the static picture beside it stays."""
    widgets = [c for c in code_cells(notebook) if "widget" in c.metadata.get("tags", [])]
    assert not any(cell.outputs for cell in widgets)
    for cell in code_cells(notebook):
        views = [o for o in cell.outputs if "widget-view" in str(o.get("data", {}).keys())]
        assert not views and ("widgets.inter" not in cell.source or cell in widgets), cell.id


def test_links_lead_somewhere(path, notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", cell.source):
                if not link.startswith("http"):
                    assert (path.parent / link).exists(), (cell.id, link)


LESSONS = sorted(ROOT.glob(reading.LESSON))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_core_path_takes_at_most_45_minutes_and_the_head_says_how_long(lesson, record_property):
    core, whole = reading.minutes(lesson)
    record_property("minutes", (lesson.stem, core, whole))
    assert core <= reading.LIMIT
    head = next(c for c in nbformat.read(lesson, 4).cells if c.source.startswith("## Where we are"))
    assert reading.sentence(core, whole) in head.source, "run python tests/reading.py --write"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_readme_says_how_long_a_chapter_takes(lesson):
    core, whole = reading.minutes(lesson)
    row = next(r for r in README.split("\n") if f"](notebooks/{lesson.name})" in r)
    assert row.endswith(f"| {core} of {whole} |"), "run python tests/reading.py --write"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_core_path_needs_nothing_that_goes_beyond_it(lesson):
    """What an open cell reads is not made by a Deeper section alone; exported code is package."""
    cells = nbformat.read(lesson, 4).cells
    core, deeper = ([c for c in part if c.cell_type == "code"] for part in reading.parts(cells))
    made = set().union(*(changed(c.source) for c in core))
    beyond = set().union(*(changed(c.source) for c in deeper if "#| export" not in c.source))
    for cell in core:
        if not cell.metadata.get("jupyter", {}).get("source_hidden"):
            reads = reads_and_makes(cell.source)[0] | called(cell.source)
            needed = reads & (beyond - made - set(dir(builtins)))
            assert not needed, f"{cell.id} needs {needed}"
