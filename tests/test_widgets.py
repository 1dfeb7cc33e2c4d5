"""The widgets in a real browser: JupyterLab runs a chapter, a slider changes its picture."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from nbconvert.preprocessors import ClearOutputPreprocessor

from conftest import BROWSER, ROOT

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on this machine"),
    pytest.mark.timeout(600),
]


def read(chapter: str) -> list:
    return nbformat.read(ROOT / "notebooks" / f"{chapter}.ipynb", 4).cells


def widget_cells(chapter: str) -> list[int]:
    return [i for i, cell in enumerate(read(chapter)) if "widget" in cell.metadata.get("tags", [])]


CHAPTERS = sorted(p.stem for p in (ROOT / "notebooks").glob("*.ipynb") if widget_cells(p.stem))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab over a copy of the project, so that running a chapter changes nothing here."""
    folder = tmp_path_factory.mktemp("lab")
    for name in ("notebooks", "minigrad"):
        shutil.copytree(ROOT / name, folder / name)
    for path in (folder / "notebooks").glob("*.ipynb"):
        cleared = ClearOutputPreprocessor().preprocess(nbformat.read(path, 4), {})[0]
        nbformat.write(cleared, path)  # so that a number beside a cell says that it ran here
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    all_cells = {"windowingMode": "none"}  # else cells out of sight are not in the page
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps(all_cells), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    options = ["--no-browser", "--allow-root", f"--port={port}", f"--notebook-dir={folder}"]
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
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, "JupyterLab stopped"
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_notebook_runs_and_its_widgets_move_their_pictures(chapter, lab, browser):
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(60_000)
    page.goto(f"{lab}/lab/tree/notebooks/{chapter}.ipynb?reset")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    last = page.locator(".jp-Notebook .jp-CodeCell").last.locator(".jp-InputPrompt")
    cells = sum(cell.cell_type == "code" for cell in read(chapter))
    playwright.expect(last).to_have_text(f"[{cells}]:", timeout=300_000)
    errors = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']")
    assert errors.all_inner_texts() == []

    for index in widget_cells(chapter):
        cell = page.locator(".jp-Notebook .jp-Cell").nth(index)
        picture = cell.locator(".jupyter-widgets-output-area, .jp-OutputArea").last
        before = settled(page, picture)
        move_something(cell)
        deadline = time.monotonic() + 20
        while picture.inner_html() == before and time.monotonic() < deadline:
            page.wait_for_timeout(200)
        assert picture.inner_html() != before, f"{chapter}: nothing changed in cell {index}"
        assert not re.search("Traceback|Error displaying", cell.inner_text())
    page.close()


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
        box = cell.locator("input[type='text']").first
        box.fill("the same again")
        box.press("Enter")
