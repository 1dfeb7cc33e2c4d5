"""GGUF: every type of packed weights, the tokenizer and the model in a file, against the package
gguf, tokenizers and transformers; and files that mean harm."""

import struct
import sys
import tracemalloc
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_bpe import TEXT, package, without_newer

import minigrad.gguf as gguf
from gguf_files import (
    MERGES,
    NUMBERS,
    TOKENS,
    TYPES,
    WORDS,
    described,
    gguf_bytes,
    header,
    llama_gguf,
    metadata_of,
    tensors_of,
    text,
    tiny,
    write_gguf,
)
from minigrad.checkpoint import CheckpointError
from minigrad.generate import generate, load_writer
from minigrad.gguf import KINDS, MOST, load_gguf, read_gguf, tokenizer_in

# --- numbers in few bits -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference():
    """llama.cpp's own package for Python."""
    return package("gguf")


def unpacked(kind: str, raw: np.ndarray) -> np.ndarray:
    """What ours makes of rows of bytes."""
    n_numbers, n_bytes, _ = KINDS[kind]
    shape = (len(raw), raw.shape[1] // n_bytes * n_numbers)
    return np.asarray(gguf.Packed(shape, kind, raw))


def same_numbers(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Equal but for rounding; not-a-numbers and infinities are in the same places. (Where one part
    of a sum is infinite, that may be either.)"""
    assert ours.dtype == theirs.dtype == np.float32
    assert ours.shape == theirs.shape
    finite = np.isfinite(theirs)
    np.testing.assert_array_equal(np.isfinite(ours), finite)
    np.testing.assert_allclose(ours[finite], theirs[finite], rtol=3e-7, atol=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_any_bytes_are_the_numbers_that_llama_cpp_reads(reference, kind, seed):
    rng = np.random.default_rng(seed)
    raw = rng.integers(256, size=(97, 3 * KINDS[kind][1]), dtype=np.uint8)
    with np.errstate(all="ignore"):
        theirs = reference.quants.dequantize(raw, reference.GGMLQuantizationType[kind])
    same_numbers(unpacked(kind, raw), theirs)


HALVES = {  # where blocks have numbers of half precision
    "Q4_0": [0],
    "Q4_1": [0, 2],
    "Q5_0": [0],
    "Q5_1": [0, 2],
    "Q8_0": [0],
    "Q4_K": [0, 2],
    "Q6_K": [208],
}
EXTREME = [0.0, -0.0, 6e-8, -6e-8, 6.1e-5, 1.0, -1.0, 65504.0, -65504.0, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("kind", HALVES)
def test_extreme_scales(reference, kind):
    rng = np.random.default_rng(0)
    n_bytes, places = KINDS[kind][1], HALVES[kind]
    scales = np.array(np.meshgrid(*[EXTREME] * len(places)), "<f2").reshape(len(places), -1).T
    for fill in (0, 255, None):  # all numbers in a block the least, the largest, or any
        raw = rng.integers(256, size=(len(scales), n_bytes), dtype=np.uint8)
        if fill is not None:
            raw[:] = fill
        for i, at in enumerate(places):
            raw[:, at : at + 2] = scales[:, i : i + 1].copy().view(np.uint8)
        with np.errstate(all="ignore"):
            theirs = reference.quants.dequantize(raw, reference.GGMLQuantizationType[kind])
        same_numbers(unpacked(kind, raw), theirs)


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])
def test_what_llama_cpp_packs_is_near_what_it_was(reference, kind):
    weights = np.random.default_rng(0).standard_normal((5, 96)).astype(np.float32)
    raw = reference.quants.quantize(weights, reference.GGMLQuantizationType[kind])
    ours = unpacked(kind, raw.view(np.uint8).reshape(5, -1))
    step = {"F32": 0, "F16": 1e-3, "BF16": 1e-2, "Q8_0": 0.02, "Q5_0": 0.15, "Q5_1": 0.15}
    assert np.abs(ours - weights).max() <= step.get(kind, 0.35)
    assert ours.flags.writeable or kind == "F32"  # or else they would change with the file


def test_a_matrix_is_unpacked_row_by_row_and_in_any_float():
    raw = np.arange(2 * 36, dtype=np.uint8).reshape(2, 36)  # two blocks in each of two rows
    raw[:, [1, 19]] = 60  # scales near 1
    packed = gguf.Packed((2, 64), "Q4_0", raw)
    whole = np.asarray(packed)
    assert packed.size == whole.size == 128
    np.testing.assert_array_equal(whole[1, 32:], unpacked("Q4_0", raw[1:, 18:])[0])
    assert np.asarray(packed, np.float64).dtype == np.float64
    swapped = gguf.Packed((2, 64), "Q4_0", raw[::-1])
    np.testing.assert_array_equal(np.asarray(swapped), whole[::-1])
