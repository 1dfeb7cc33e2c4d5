"""`make notebooks` runs what changed and what depends on it, and nothing else."""

import execute
import nbformat
import pytest

LESSONS = {
    "notebooks/01_one.ipynb": "x = 1",
    "notebooks/02_two.ipynb": "from minigrad.one import x",
    "notebooks/03_three.ipynb": "from minigrad.two import x",
    "solutions/03_three.ipynb": "recheck(my_three)",
}
MODULES = {"one": "x = 1\n", "two": "from .one import x\n"}


def write(path, source):
    cell = nbformat.v4.new_code_cell(source, execution_count=1)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the notebooks of a small course, and tells which of them did run."""
    for folder in ("notebooks", "solutions", "minigrad/datasets"):
        (tmp_path / folder).mkdir(parents=True)
    for name, source in LESSONS.items():
        write(tmp_path / name, source)
    for name, source in MODULES.items():
        (tmp_path / "minigrad" / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(execute, "LAST_RUN", tmp_path / "notebooks.json")
    ran = []
    monkeypatch.setattr(execute, "execute", lambda notebook, folder: ran.append(notebook))

    def run(*options):
        ran.clear()
        execute.main([*options, *LESSONS])
        return [notebook.cells[0].source for notebook in ran]

    assert run() == list(LESSONS.values())
    assert run("--changed") == []
    return run


def test_without_options_and_with_all_everything_runs(run):
    assert run() == run("--changed", "--all") == list(LESSONS.values())


def test_a_changed_cell_runs_its_notebook_and_the_solutions_that_call_its_check(run):
    write("notebooks/03_three.ipynb", "x = 3")
    assert run("--changed") == ["x = 3", "recheck(my_three)"]
    assert run("--changed") == []


def test_a_changed_module_runs_what_imports_it_near_or_far(run, tmp_path):
    (tmp_path / "minigrad" / "two.py").write_text("from .one import x  # new\n", encoding="utf-8")
    assert run("--changed") == [LESSONS["notebooks/03_three.ipynb"], "recheck(my_three)"]
    (tmp_path / "minigrad" / "one.py").write_text("x = 11\n", encoding="utf-8")
    assert run("--changed") == list(LESSONS.values())[1:]


def test_changed_data_and_cells_that_were_not_run_run_again(run, tmp_path):
    (tmp_path / "minigrad" / "datasets" / "names.txt").write_text("ann\n", encoding="utf-8")
    assert run("--changed") == list(LESSONS.values())
    notebook = nbformat.read("notebooks/01_one.ipynb", 4)
    notebook.cells[0].execution_count = None
    nbformat.write(notebook, "notebooks/01_one.ipynb")
    assert run("--changed") == ["x = 1"]
