"""The ways in: Binder, conda, pip and make agree with each other."""

import re
import subprocess

import pytest
import yaml
from floors import floors

from conftest import ROOT

TARGETS = "lab test test-fast test-long style train train-chinese generate quick-generate".split()
TARGETS += "demo serve bench export notebooks".split()


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def names(requirements) -> set[str]:
    return {re.match(r"[A-Za-z0-9_]+", r)[0].lower() for r in requirements if isinstance(r, str)}


def test_binders_environment_is_the_projects():
    assert read("binder/environment.yml") == read("environment.yml")


def test_environment_has_the_course_and_pins_python_to_a_minor_version():
    tomllib = pytest.importorskip("tomllib", reason="tomllib comes with Python 3.11")
    dependencies = yaml.safe_load(read("environment.yml"))["dependencies"]
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert any(re.fullmatch(r"python=3\.\d+", d) for d in dependencies if isinstance(d, str))
    installed = {n.removesuffix("_base") for n in names(dependencies)}
    installed = {re.sub("matplotlib.*", "matplotlib", n) for n in installed}
    extras = project["optional-dependencies"]
    assert names(extras["course"] + extras["serve"]) | {"numpy"} <= installed
    assert not any("torch" in str(d) for d in dependencies)


def test_the_lowest_versions_are_read_from_pyproject():
    project = {
        "dependencies": ["numpy>=2.0"],
        "optional-dependencies": {
            "dev": ["minigrad-course[serve]", "pytest-timeout>=2.3.1"],
            "mpi": ["mpich>=4.2.3; sys_platform != 'win32'"],
        },
    }
    assert floors(project, []) == ["numpy==2.0"]
    assert floors(project, ["mpi"]) == ["mpich==4.2.3", "numpy==2.0"]
    assert floors(project, ["dev"]) == ["numpy==2.0", "pytest-timeout==2.3.1"]


def test_the_citation_has_the_version_of_the_package():
    tomllib = pytest.importorskip("tomllib", reason="tomllib comes with Python 3.11")
    citation = yaml.safe_load(read("CITATION.cff"))
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert citation["version"] == project["version"] and citation["license"] == project["license"]


def test_post_build_stops_at_the_first_error():
    assert "\nset -e\n" in read("binder/postBuild")


def test_make_alone_lists_every_target():
    listing = subprocess.run(
        ["make", "-s"], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60, check=True
    ).stdout
    for target in TARGETS:
        assert re.search(rf"^  make {target} +\w", listing, re.MULTILINE), target
        assert re.search(rf"^{target}:", read("Makefile"), re.MULTILINE), target
