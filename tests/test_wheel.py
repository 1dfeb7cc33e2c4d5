"""The wheel, in an environment of its own: what is installed works without the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(*command, **options) -> str:
    """Run a command without a way to the checkout; what it printed."""
    process = subprocess.run(
        [*map(str, command)],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        **options,
    )
    assert process.returncode == 0, process.stdout
    return process.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The project's wheel, built in a copy, so that nothing from an earlier build gets in."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    no_caches = shutil.ignore_patterns("__pycache__")
    for name in ("minigrad", "datasets"):
        shutil.copytree(ROOT / name, source / name, ignore=no_caches)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", source / "dist", source)
    (path,) = (source / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """Python in a bare environment with the wheel, NumPy and what the service needs."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--python", python]  # an own one would take longer
    run(*pip, "install", "--quiet", "--no-compile", f"{wheel}[serve]")
    return python


@pytest.fixture
def anywhere(tmp_path, monkeypatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_wheel_has_its_name_and_all_of_the_package(wheel, python, anywhere):
    assert re.fullmatch(r"minigrad_course-[\d.]+-py3-none-any\.whl", wheel.name)
    code = "import minigrad; print(minigrad.__path__[0])"
    installed = Path(run(python, "-X", "utf8", "-c", code).strip())
    assert python.parent.parent in installed.parents
    files = {
        p.relative_to(ROOT / "minigrad") for p in (ROOT / "minigrad").rglob("*") if p.is_file()
    }
    shipped = {p for p in files if "__pycache__" not in p.parts and p.name[0] != "."}
    shipped = {p for p in shipped if p.name != "_modidx.py"}  # which only nbdev reads
    there = {p.relative_to(installed) for p in installed.rglob("*") if p.is_file()}
    assert shipped <= there


def test_it_trains_and_writes_in_any_folder(python, anywhere):
    sizes = "--n-layer 1 --n-head 1 --n-embd 8 --block-size 8 --batch-size 2 --eval-iters 1".split()
    run(python, "-m", "minigrad.train", "--dataset", "names", "--max-iters", 2, *sizes)
    run(python, "-m", "minigrad.generate", "--max-new-tokens", 5, "--seed", 1)
    code = (
        "import sys, minigrad.generate as g\n"
        "from importlib.resources import files\n"
        "model = files('minigrad') / 'pretrained' / 'shakespeare.pkl'\n"
        "g.main(['--checkpoint', str(model), '--prompt', 'ROMEO:', '--max-new-tokens', '20'])\n"
        "loaded = [m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'minigrad']\n"
        "print('', *[f for f in loaded if not f.startswith(sys.prefix)], sep='\\nelsewhere: ')\n"
    )
    said = run(python, "-X", "utf8", "-c", code)
    assert said.startswith("ROMEO:")
    assert re.findall("elsewhere: (.+)", said) == []


def test_it_serves_in_any_folder(python, anywhere):
    process = subprocess.Popen(
        [python, "-X", "utf8", "-m", "minigrad.serve", "--port", "0"],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    limit = threading.Timer(100, process.kill)
    limit.start()
    try:
        said = ""
        while not (match := re.search(r"(http://127\.0\.0\.1:\d+)", said)):
            line = process.stdout.readline()
            assert line, said
            said += line
        with urllib.request.urlopen(f"{match[1]}/health", timeout=60) as answer:
            assert answer.status == 200 and json.load(answer)
    finally:
        limit.cancel()
        process.kill()
        process.communicate()
