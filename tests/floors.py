"""Print the lowest version that pyproject.toml allows of each dependency: a file for pip install.

python tests/floors.py serve course     the package's own dependencies, and those of two extras
"""

import re
import sys
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def floors(project: dict, extras: list[str]) -> list[str]:
    """Lines such as numpy==2.0, for a table [project] of pyproject.toml."""
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    pairs = [re.fullmatch(r"([\w.-]+)>=([\d.]+)(;.*)?", requirement) for requirement in wanted]
    return sorted({f"{pair[1]}=={pair[2]}" for pair in pairs if pair})


if __name__ == "__main__":
    import tomllib  # of Python 3.11

    table = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    print("\n".join(floors(table, sys.argv[1:])))
