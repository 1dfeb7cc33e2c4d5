"""What all commands share: one line for a mistake, and output that cannot fail."""

import argparse
import io
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT
from minigrad.command import Lenient, command, one_line

COMMANDS = ["train", "generate", "checkpoint", "serve", "vision.drawn", "vision.real"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("plain"), "plain"),
        (ValueError("two\n  lines\t\x1b[31m"), r"two lines \x1b[31m"),
        (OSError(28, "No space left on device", "a.pkl"), "No space left on device: 'a.pkl'"),
        (OSError(), "OSError"),
        (FloatingPointError("too large"), "too large"),
        (MemoryError(), "not enough memory"),
        (MemoryError("Unable to allocate 7 TiB"), "not enough memory: Unable to allocate 7 TiB"),
        (KeyError("dataset"), "KeyError: 'dataset'"),
        (OverflowError("int too large"), "OverflowError: int too large"),
        (UnicodeError(), "UnicodeError"),
    ],
    ids=repr,
)
def test_an_error_is_one_line_and_never_empty(error, line):
    assert one_line(error).endswith(line) and "\n" not in one_line(error)


def run(body, **options) -> int:
    """The exit code of a command with this body; 0 if it comes to its end."""
    try:
        with command(argparse.ArgumentParser(), **options):
            body()
    except SystemExit as end:
        return end.code
    return 0


def throw(error):
    raise error


@pytest.mark.parametrize("error", [MemoryError(), OSError(), OverflowError(), ValueError("a\nb")])
def test_a_mistake_ends_with_code_2(error, capsys):
    assert run(lambda: throw(error)) == 2
    captured = capsys.readouterr()
    assert captured.err == f"error: {one_line(error)}\n" and not captured.out


def test_ctrl_c_ends_with_code_130_and_a_fault_of_the_program_with_its_traceback(capsys):
    assert run(lambda: throw(KeyboardInterrupt()), interrupted="bye\n") == 130
    assert capsys.readouterr().err == "bye\n"
    with pytest.raises(TypeError):
        run(lambda: throw(TypeError("a fault")))


class Broken(io.TextIOBase):
    """A stream that fails with an error of this number, or as if it were closed."""

    def __init__(self, number):
        self.number = number

    def write(self, text):
        raise OSError(self.number, "broken") if self.number else ValueError("closed file")

    flush = lambda self: self.write("")
    fileno = lambda self: os.open(os.devnull, os.O_WRONLY)


@pytest.mark.parametrize("number", [5, 28, 32, 0])  # EIO, ENOSPC, EPIPE, closed
def test_lenient_output_drops_what_cannot_be_written(monkeypatch, number):
    done = []

    def body():
        print("a", flush=True)
        print("b", flush=True, file=sys.stderr)
        sys.stdout.flush()
        done.append(True)

    monkeypatch.setattr(sys, "stdout", Broken(number) if number else closed())
    monkeypatch.setattr(sys, "stderr", Broken(number) if number else closed())
    before = sys.stdout, sys.stderr
    assert run(body, lenient=True) == 0 and done == [True]
    assert (sys.stdout, sys.stderr) == before


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.skipif(os.name == "nt", reason="select knows no pipes there")
def test_lenient_output_does_not_wait_for_a_reader_that_reads_no_more():
    reader, writer = os.pipe()
    with open(writer, "w", encoding="utf-8", buffering=1) as stream, open(reader, "rb") as end:
        lenient, line = Lenient(stream), "x" * 1023 + "\n"
        for _ in range(200):  # of 64 kB at most that there is room for
            assert lenient.write(line) == len(line)
        taken = end.read1(2**20)
        assert 0 < len(taken) < 200 * len(line) and taken == line.encode() * (len(taken) // 1024)
        lenient.write("again\n")
        assert end.read1(2**20) == b"again\n"


@pytest.mark.parametrize(("number", "code"), [(32, 0), (28, 2), (5, 2)])
def test_other_output_ends_the_command(monkeypatch, number, code):
    monkeypatch.setattr(sys, "stdout", Broken(number))
    assert run(lambda: print("a", flush=True)) == code


def test_lenient_output_is_otherwise_what_it_was():
    stream = io.StringIO()
    lenient = Lenient(stream)
    assert lenient.write("abc") == 3 and stream.getvalue() == "abc"
    assert lenient.encoding is stream.encoding and not lenient.isatty()


@pytest.mark.parametrize(
    ("encoding", "expected"), [("ascii", "诗 \\ud800".encode()), ("gbk", "诗 \\ud800".encode())]
)
def test_a_pipe_gets_utf_8_whatever_the_encoding(encoding, expected):
    code = """
import argparse, sys
from minigrad.command import command
with command(argparse.ArgumentParser()):
    sys.stdout.write("诗 \\ud800")
"""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert done.stdout == expected and not done.stderr


def test_a_terminal_keeps_its_encoding(monkeypatch):
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, "gbk")
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", terminal)
    assert run(lambda: print("诗 é 😀")) == 0
    assert raw.getvalue().decode("gbk") == "诗 é \\U0001f600\n".replace("\n", os.linesep)


@pytest.mark.skipif(os.name == "nt", reason="signals differ on Windows")
@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_while_numpy_is_imported_ends_quietly(tmp_path, name):
    """A NumPy that takes long, and in whose middle Ctrl-C is pressed."""
    (tmp_path / "numpy").mkdir()
    code = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('went on')\nraise OSError"
    (tmp_path / "numpy" / "__init__.py").write_text(code)
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", f"minigrad.{name}", "--help"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


# A command that is interrupted, and again while it says so.
TWICE = """
import argparse, os, signal, sys
sys.argv[0] = "-m"
from minigrad.command import command
class Parser(argparse.ArgumentParser):
    def exit(self, status, message):
        os.kill(os.getpid(), signal.SIGINT)
        super().exit(status, message)
with command(Parser(), interrupted="interrupted\\n"):
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals differ on Windows")
def test_ctrl_c_may_come_twice():
    done = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


@pytest.mark.skipif(os.name == "nt", reason="signals differ on Windows")
def test_an_import_into_a_program_leaves_ctrl_c_alone():
    code = "import signal, minigrad.train; assert signal.getsignal(2) is signal.default_int_handler"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
    before = signal.getsignal(signal.SIGINT)
    assert run(lambda: np.zeros(1)) == 0 and signal.getsignal(signal.SIGINT) is before
