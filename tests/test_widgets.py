"""The widgets in a real browser: JupyterLab runs what they need of a chapter, and a slider changes
its picture. (All cells of all chapters run in test_course.py.)"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from slices import needed

from conftest import BROWSER, ROOT

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on this machine"),
    pytest.mark.timeout(600),
]


LESSONS = {path.stem: nbformat.read(path, 4) for path in (ROOT / "notebooks").glob("*.ipynb")}


def is_widget(cell) -> bool:
    return "widget" in cell.metadata.get("tags", [])


def hurried(source: str) -> str:
    """A cell that hardly trains or asks at all, and so cannot assert what is learned; and a small
    model in place of the real one."""
    source = re.sub(r"\b(max_iters(?==\d)|steps(?==\d{4}))=\d+", r"\1=4", source)
    source = re.sub(r"range\(\d+\), loader", "range(4), loader", source)
    source = re.sub(r"(examination\(\w+, )\d+", r"\g<1>8", source)
    source = source.replace("find_smollm() or small_path", "small_path")
    return re.sub(r"^( *)assert .*", r"\1pass", source, flags=re.MULTILINE)


def shortened(lesson):
    """The widgets of a lesson and the cells of code that they need, never run, with little work:
    a picture moves whatever the model has learned."""
    code = [cell for cell in lesson.cells if cell.cell_type == "code"]
    widgets = {i for i, cell in enumerate(code) if is_widget(cell)}
    code = code[: max(widgets, default=-1) + 1]  # what comes later may give its names other values
    cells = [code[i] for i in needed([cell.source for cell in code], widgets)]
    for cell in cells:  # a number beside a cell says that it ran; one collapsed has none
        cell.update({"source": hurried(cell.source), "outputs": [], "execution_count": None})
        cell.metadata.pop("jupyter", None)
    return nbformat.from_dict({**lesson, "cells": cells})


SHORTENED = {chapter: shortened(lesson) for chapter, lesson in sorted(LESSONS.items())}
CHAPTERS = [chapter for chapter, lesson in SHORTENED.items() if lesson.cells]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab over a copy of the project, so that running a chapter changes nothing here."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "minigrad", folder / "minigrad")
    (folder / "notebooks").mkdir()
    for chapter in CHAPTERS:
        nbformat.write(SHORTENED[chapter], folder / "notebooks" / f"{chapter}.ipynb")
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    all_cells = {"windowingMode": "none"}  # else cells out of sight are not in the page
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps(all_cells), encoding="utf-8")
    options = ["--no-browser", "--allow-root", "--port=0", f"--notebook-dir={folder}"]
    options.append("--LabApp.expose_app_in_browser=True")  # as window.jupyterapp
    own = {name: str(folder / name) for name in ("config", "data", "runtime")}
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", *options, "--IdentityProvider.token="],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            "PYTHONPATH": str(folder),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTER_CONFIG_DIR": own["config"],
            "JUPYTER_DATA_DIR": own["data"],
            "JUPYTER_RUNTIME_DIR": own["runtime"],
        },
    )
    try:
        yield address(process, folder / "runtime" / f"jpserver-{process.pid}.json")
    finally:
        process.terminate()
        process.wait(timeout=30)


def address(process: subprocess.Popen, notes: Path) -> str:
    """Where JupyterLab listens, from the file that it writes once it does."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "JupyterLab stopped"
        try:
            return json.loads(notes.read_text(encoding="utf-8"))["url"].rstrip("/")
        except (FileNotFoundError, json.JSONDecodeError):  # not yet, or only a part
            time.sleep(0.1)
    raise AssertionError("JupyterLab does not start")


@pytest.fixture(scope="module")
def page(lab, browser):
    """JupyterLab in the browser, loaded once; each chapter opens in it as one more tab."""
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(60_000)
    page.goto(f"{lab}/lab?reset")
    page.wait_for_function("window.jupyterapp && jupyterapp.restored.then(() => true)")
    return page


OPEN = """async path => {
    const panel = await jupyterapp.commands.execute("docmanager:open", {path})
    await panel.context.ready
    await panel.sessionContext.ready
    await panel.sessionContext.session.kernel.info
}"""
RUN_ALL = "() => jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)"
STOP_KERNELS = "() => jupyterapp.serviceManager.sessions.shutdownAll()"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_widgets_move_their_pictures(chapter, page):
    page.evaluate(OPEN, f"notebooks/{chapter}.ipynb")
    page.evaluate(RUN_ALL)
    cells = SHORTENED[chapter].cells
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    last = notebook.locator(".jp-CodeCell").last.locator(".jp-InputPrompt")
    errors = notebook.locator("[data-mime-type='application/vnd.jupyter.error']")
    finished = last.filter(has_text=f"[{len(cells)}]:").or_(errors)
    playwright.expect(finished.first).to_be_visible(timeout=300_000)
    assert errors.all_inner_texts() == []

    for index in [i for i, cell in enumerate(cells) if is_widget(cell)]:
        cell = notebook.locator(".jp-Cell").nth(index)
        picture = cell.locator(".jupyter-widgets-output-area, .jp-OutputArea").last
        before = settled(page, picture)
        move_something(cell)
        deadline = time.monotonic() + 20
        while picture.inner_html() == before and time.monotonic() < deadline:
            page.wait_for_timeout(200)
        assert picture.inner_html() != before, f"{chapter}: nothing changed in cell {index}"
        assert not re.search("Traceback|Error displaying", cell.inner_text())
    page.evaluate(STOP_KERNELS)


def settled(page, picture) -> str:
    """The picture's source, once it stays the same for half a second."""
    html = picture.inner_html()
    for _ in range(40):
        page.wait_for_timeout(500)
        previous, html = html, picture.inner_html()
        if html == previous and "<img" in html:
            return html
    raise AssertionError(f"no picture, or one that never comes to rest: {html[:300]}")


def move_something(cell) -> None:
    """Move the cell's first slider; where there is none, write into its text box."""
    sliders = cell.locator(".noUi-handle")
    if sliders.count():
        slider = sliders.first
        at_end = slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")
        for _ in range(3):
            slider.press("ArrowLeft" if at_end else "ArrowRight")
    elif cell.locator("select").count():
        menu = cell.locator("select").first
        chosen = menu.evaluate("menu => menu.selectedIndex")
        menu.select_option(index=0 if chosen else 1)
    else:
        box = cell.locator("input[type='text'], input[type='number']").first
        box.fill("42" if box.get_attribute("type") == "number" else "the same again")
        box.press("Enter")
