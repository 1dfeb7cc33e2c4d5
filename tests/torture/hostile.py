"""Hostile files: thousands of damaged and crafted checkpoints and tokenizers, each read under a
watch.

`python tests/torture/hostile.py` prints how many files had code run, crashed the process, brought
bytes of its memory along, failed in another way than by a CheckpointError of one line, or took more
than a second or 300 MB beyond what their size warrants. Exit code 1 if any did.
"""

import argparse
import contextlib
import io
import itertools
import json
import os
import pickle
import pickletools
import random
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from operator import sub
from pathlib import Path

import numpy as np

from minigrad.bpe import BPETokenizer
from minigrad.checkpoint import CheckpointError, load, load_model, save
from minigrad.gguf import load_gguf, read_gguf
from minigrad.gpt import GPT
from minigrad.llama import Llama
from minigrad.weights import convert, load_torch, read_safetensors

sys.path.insert(0, str(Path(__file__).parents[1]))
import gguf_files as gguf  # noqa: E402

FAULTS = ("code run", "crashes", "foreign bytes", "wrong exceptions", "beyond a second or 300 MB")
ANSWER = "the watch says: "
PLACES = {  # where a reader looks for the files whose names are fixed
    ".json": "folder/config.json",
    ".llama": "llama/config.json",
    ".tokenizer": "words/tokenizer.json",
    ".vocab": "lists/vocab.json",
    ".merges": "lists/merges.txt",
    ".added": "lists/added_tokens.json",
}
BYTES = {bytes([byte]) for byte in range(256)}
MARK = b"minigrad's own memory, not yours"  # fills the reader's memory, and no file


# --- the files -----------------------------------------------------------------------------------


def good_files() -> dict[str, bytes]:
    """One intact file of each kind; a folder is one of its files, beside the others intact."""
    model = GPT(vocab_size=5, n_embd=4, n_layer=2, n_head=2, block_size=4, rng=0)
    state = model.collect_state_dict()
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "a.pkl")
        save(path, {"model_args": model.config, "model": state, "characters": "abcde", "step": 3})
        model.save_pretrained(place)
        files = {p.suffix: p.read_bytes() for p in sorted(Path(place).iterdir())}
        gguf.tiny().save_pretrained(place)
        files[".llama"] = Path(place, "config.json").read_bytes()
    files[".pt"] = archive(torch_program(state, model.config), storages(state))
    tokenizer = BPETokenizer.from_text("the cat that sat on the mat " * 2, 264, ["<|endoftext|>"])
    files[".tokenizer"] = tokenizer.to_json().encode()
    model = json.loads(files[".tokenizer"])["model"]
    del model["vocab"]["<|endoftext|>"]
    files[".vocab"] = json.dumps(model["vocab"]).encode()
    files[".merges"] = "\n".join(["#version: 0.2", *model["merges"], ""]).encode()
    files[".added"] = json.dumps(tokenizer.special).encode()
    files[".gguf"] = gguf.gguf_bytes(gguf.metadata_of(gguf.tiny()), packed_tensors())
    return files


def packed_tensors() -> dict[str, tuple[str, tuple, bytes]]:
    """A tiny Llama's, of which some are of a few bits a weight."""
    tensors = gguf.tensors_of(gguf.tiny(n_embd=64, n_hidden=32))
    for name, kind, n_bytes in (("ffn_gate", "Q4_1", 20), ("ffn_up", "Q8_0", 34)):
        tensors[f"blk.0.{name}.weight"] = (kind, (32, 64), bytes(range(2 * n_bytes)) * 32)
    return tensors


def torch_program(state: dict, args: dict, storage: str = "FloatStorage") -> bytes:
    """The pickle that torch writes for a checkpoint of nanoGPT, spelt in instructions."""

    def number(n: int) -> bytes:
        return pickle.dumps(n, 2)[2:-1]

    tensors = b""
    for i, (name, array) in enumerate(state.items()):
        reference = b"(X\x07\x00\x00\x00storagectorch\n%s\n%sX\x03\x00\x00\x00cpu%stQ" % (
            storage.encode(),
            pickle.dumps(str(i), 2)[2:-3],
            number(array.size),
        )
        strides = (stride // array.itemsize for stride in array.strides)
        shape, strides = (b"(" + b"".join(map(number, t)) + b"t" for t in (array.shape, strides))
        view = b"ctorch._utils\n_rebuild_tensor_v2\n(" + reference + number(0) + shape + strides
        tensors += pickle.dumps(name, 2)[2:-3] + view + b"\x89ccollections\nOrderedDict\n)RtR"
    model = b"X\x05\x00\x00\x00model}(" + tensors + b"u"
    return (
        b"\x80\x02}(" + model + b"X\x0a\x00\x00\x00model_args" + pickle.dumps(args, 2)[2:-1] + b"u."
    )


def storages(state: dict) -> dict[str, bytes]:
    return {str(i): array.tobytes() for i, array in enumerate(state.values())}


def archive(program: bytes, parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("archive/data.pkl", program)
        for key, raw in parts.items():
            packed.writestr(f"archive/data/{key}", raw)
    return file.getvalue()


def signed(program: bytes) -> bytes:
    """A pickle with the last line that our own files have: the checksum keeps no enemy out."""
    import hashlib

    return (
        program
        + b"\nminigrad-checkpoint 1 sha256=%s\n" % hashlib.sha256(program).hexdigest().encode()
    )


def tensors_file(header: bytes, numbers: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + numbers


def crafted() -> Iterator[tuple[str, bytes]]:
    """(suffix, content) of files that were made to harm; each once did, here or elsewhere."""
    call = b"cos\nsystem\n(S'touch harmed'\ntR."
    buffer = b"cnumpy._core.numeric\n_frombuffer\n"
    f4 = b"cnumpy\ndtype\n(S'f4'\nI00\nI01\ntR(K\x03S'<'\nNNNI-1\nI-1\nK\x00tb"
    million = b"T" + (10**6).to_bytes(4, "little") + b"x" * 10**6
    big = 2**61 - 1
    pickles = [
        call,
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0ctouch harmed\x85R.",
        b"cbuiltins\neval\n(S\"open('harmed','w')\"\ntR.",
        b"\x80\x04Nr\xff\xff\xff\x07.",  # a memo of two gigabytes
        b"\x80\x04" + buffer + b"N}X\x0c\x00\x00\x00__defaults__((K\x01K\x00tts\x86b0}.",
        b"\x80\x04" + buffer + b"}S'__code__'\nNsb.",
        b"}" + b")" + b"\x85" * 150_000 + b"Ns.",  # a deep key
        b"(" + b")\x85" * 10 + b"t" + b"\x85" * 200_000 + b".",
        b"]" + b"]a" * 100_000 + b".",
        b"](]" + b"l" * 5 + b"e.",
        b"]q\x00h\x00a.",  # a list in itself
        b"}q\x00(S'x'\nh\x00u.",
        b"]" + b"q\x00](h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00e" * 30 + b".",  # 8 ** 30 parts
        b"}(" + b"".join(pickle.dumps(i * big, 2)[2:-1] + b"N" for i in range(1, 20_000)) + b"u.",
        b"(" + million + b"q\x000" + b"c_codecs\nencode\nh\x00S'latin1'\n\x86R" * 5_000 + b"t.",
        b"("
        + million
        + b"q\x000"
        + b"c_codecs\nencode\nq\x01h\x00S'latin1'\n\x86q\x02R"
        + b"h\x01h\x02R" * 9_000
        + b"t.",
        b"\x80\x04" + buffer + b"(C\x00" + f4 + b"(J\xff\xff\xff\x7ftS'C'\ntR.",
        b"\x80\x04" + buffer + b"(C\x08AAAAAAAA" + f4 + b"(K\x10tS'C'\ntR.",
        b"\x80\x04" + buffer + b"(C\x08AAAAAAAAcnumpy\ndtype\n(S'O'\nI00\nI01\ntR(K\x01tS'C'\ntR.",
        b"\x80\x04"
        + buffer
        + b"(C\x08AAAAAAAA"
        + f4
        + b"(J\xff\xff\xff\xffJ\xfe\xff\xff\xfftS'C'\ntR.",
        b"\x80\x05\x8e" + (2**60).to_bytes(8, "little") + b".",
        b"\x80\x05\x96" + (2**33).to_bytes(8, "little") + b".",
        b"\x80\x05\x8d" + (2**63).to_bytes(8, "little") + b".",
        b"\x80\x05\x95" + (2**62).to_bytes(8, "little") + b"}.",
        b"\x8b" + (2**31 - 1).to_bytes(4, "little") + b".",
        b"I" + b"9" * 10**6 + b"\n.",
        b"L" + b"9" * 10**6 + b"L\n.",
        b"F" + b"9" * 10**6 + b"\n.",
        b"(" + b"N" * 1_000_000 + b"t.",
        b"(" + b"}\x94" * 500_000 + b"t.",
        b"(" * 1_000_000 + b".",
        b"cthis\ns\n.",
        b"cos\n" + b"\x1b[2J\r\n" * 99 + b"\n.",
        b"c" + b"a" * 10**6 + b"\nb\n.",
        b"\x82\x01.",  # an extension
        b"P1\n.",
        b"N.trailing",
        b"\x80\x04N.\nminigrad-checkpoint 2 whatever\n",
        b"",
    ]
    for program in pickles:
        yield ".pkl", program
        yield ".pkl", signed(program)
    claims = [10**9, 10**18, 10**5000, -1, 0, True, 2.0, None, "8", [8], float("nan")]
    good = {"vocab_size": 5, "n_embd": 4, "n_layer": 2, "n_head": 2, "block_size": 4}
    state = GPT(**good, rng=0).collect_state_dict()
    one = np.zeros((1, 1), np.float32)
    many = {f"transformer.h.{i}.ln_1.weight": one for i in range(5_000)}
    llama = gguf.tiny()
    weights, config = llama.collect_state_dict(), json.loads(good_files()[".llama"])
    for name, claim in itertools.product(llama.config, claims):
        args = {"model_args": {**llama.config, name: claim}, "architecture": "llama"}
        yield ".pkl", signed(pickle.dumps({**args, "model": weights}, 2))
    for name, claim in itertools.product([*config, "head_dim", "rope_parameters"], claims):
        if claim == claim and claim != 10**5000:
            yield ".llama", json.dumps({**config, name: claim}).encode()
    for kind in ("llama", "gpt", "mamba", "x" * 10**6, 1, None, [], {}):
        args = {"model_args": good, "architecture": kind}
        yield ".pkl", signed(pickle.dumps({**args, "model": state}, 2))
    for name, claim in itertools.product(good, claims):
        args = {**good, name: claim}
        yield ".pkl", signed(pickle.dumps({"model_args": args, "model": state}, 2))
        yield ".pt", archive(torch_program(state, args), storages(state))
        if claim == claim and claim != 10**5000:
            yield ".json", json.dumps({**good, "n_positions": 4, name: claim}).encode()
    lie = {**good, "n_embd": 1, "vocab_size": 1, "n_layer": 5_000, "n_head": 1}
    yield ".pkl", signed(pickle.dumps({"model_args": lie, "model": many}, 2))
    args = {**good, "rng": 1}
    yield ".pkl", signed(pickle.dumps({"model_args": args, "model": state}, 2))
    colliding = [i * big for i in range(1, 30_000)]
    content = {"model_args": good, "model": state, "characters": colliding}
    yield ".pkl", signed(pickle.dumps(content, 2))
    program = torch_program(state, good)
    parts = storages(state)
    empty = program.replace(b"K\x14tQ", b"K\x00tQ", 1)  # an empty storage for 20 numbers
    yield ".pt", archive(empty, {**parts, "0": b""})
    yield ".pt", archive(program.replace(b"K\x05K\x04t", b"K\x00K\x04t"), {**parts, "0": b""})
    yield (
        ".pt",
        archive(
            program.replace(b"K\x04K\x01t", b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x3fK\x01t"),
            parts,
        ),
    )
    yield (
        ".pt",
        archive(program.replace(b"K\x05K\x04t", b"\x8a\x05\x00\x00\x00\x00\x10K\x04t"), parts),
    )
    yield ".pt", archive(program.replace(b"K\x04K\x01t", b"K\x00K\x00t"), parts)
    yield ".pt", archive(program.replace(b"FloatStorage", b"UntypedStorage"), parts)
    yield ".pt", archive(call, parts)
    yield ".pt", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.}." + program
    packed = archive(program, parts)
    for claim in (2**31, 2**32 - 2):
        yield ".pt", packed.replace((80).to_bytes(4, "little"), claim.to_bytes(4, "little"))
    squeezed = io.BytesIO()
    with zipfile.ZipFile(squeezed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", program)
        file.writestr("archive/data/0", bytes(200_000_000))
    yield ".pt", squeezed.getvalue()
    entry = b'{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}'
    same = b",".join(b'"t%d":%s' % (i, entry) for i in range(2_000))
    yield ".safetensors", tensors_file(b"{" + same + b"}", bytes(4_000_000))
    for header in (
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
        b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}',
        b'{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}',
        b'{"a":{"dtype":"F32","shape":[' + b"2," * 99_999 + b'2],"data_offsets":[0,4]}}',
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' + b"9" * 10**6 + b"}",
        b"{" + b",".join(b'"%d":[]' % i for i in range(200_000)) + b"}",
        b'{"\\u001b[2J":' + b"null}",
    ):
        yield ".safetensors", tensors_file(header, bytes(4))
        yield ".json", header
    tokenizer = json.loads(good_files()[".tokenizer"])
    steps = b'{"type":"Sequence","pretokenizers":[' * 400 + b"{}" + b"]}" * 400
    for content in (
        b"[" * 50_000_000,
        b'{"model":' + b"[" * 50_000_000,
        b'{"model":' + b"[" * 1_900_000 + b"}",
        b'{"model":' * 1_900_000 + b"}",
        b'{"model":[' + b"{}," * 900_000 + b"{}]}",
        b'{"model":[' + b'{"":{}},' * 600_000 + b"{}]}",
        b'{"model":' + b"9" * 10**6 + b"}",
        b'{"model":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"\\u001b[2J":null}',
        b'{"a":0,"a":1}',
        b"a " * 10**6,
        b"a b\n" * 10**6,
        json.dumps({**tokenizer, "pre_tokenizer": 0}).encode().replace(b": 0,", b":%s," % steps),
        json.dumps({"x" * 10**7: 0}).encode(),
        json.dumps({letter: i for i, letter in enumerate(map(chr, range(0x10000)))}).encode(),
    ):
        for suffix in (".tokenizer", ".vocab", ".merges", ".added"):
            yield suffix, content
    for length in (0, 1, 2**31, 2**60, 2**64 - 1):
        yield ".safetensors", length.to_bytes(8, "little") + b"{}"
    for content in itertools.chain(crafted_gguf(), crafted_llamas()):
        yield ".gguf", content


def crafted_gguf() -> Iterator[bytes]:
    """GGUF files whose counts, lengths, types and places lie."""
    begin, million = b"GGUF" + struct.pack("<I", 3), 10**6
    one = begin + struct.pack("<QQ", 0, 1) + gguf.text("a")
    for n in (2**31, 2**32 - 1, 2**48, 2**63, 2**64 - 1):
        yield begin + struct.pack("<QQ", n, 0)
        yield begin + struct.pack("<QQ", 0, n)
        yield begin + struct.pack("<QQQ", 0, 1, n)
        for kind in (0, 7, 8, 9, 12, 13, 99):
            yield one + struct.pack("<IIQ", 9, kind, n)
        for shape, offset in (((n,), 0), ((n, n), 0), ((n, 8), 0), ((1, 8), n), ((n,) * 4, 0)):
            yield gguf.header({}, 1) + gguf.described("a", shape, 0, offset) + bytes(200)
    yield one + struct.pack("<IQ", 9, 1) * million
    for kind, size in ((0, 1), (7, 1), (12, 8), (8, 8)):
        entries = struct.pack("<IIQ", 9, kind, million // size) + bytes(million)
        for n in (1, 20):
            many = b"".join(gguf.text(f"{i}") + entries for i in range(n))
            yield begin + struct.pack("<QQ", 0, n) + many
    for n in (29_000, 300_000):
        names = [f"{i:06d}" for i in range(n)]
        empty = b"".join(gguf.text(name) + struct.pack("<IIQ", 9, 0, 0) for name in names)
        yield begin + struct.pack("<QQ", 0, n) + empty
        tensors = b"".join(gguf.described(name, (1,), 0, 4 * i) for i, name in enumerate(names))
        yield gguf.header({}, n) + tensors + bytes(4 * n + 64)


def crafted_llamas() -> Iterator[bytes]:
    """GGUF files of a tiny Llama, of which one part lies, or is not there."""
    model, tensors = gguf.metadata_of(gguf.tiny(n_embd=64, n_hidden=32)), packed_tensors()
    values: list = [np.int64(n) for n in (0, -1, 7, 2**31, 2**62)]
    values += [1.5, float("nan"), float("inf"), True, "", "8", "x" * 10**6, b"\xff\xfe"]
    values += [[], [1, 2], [""], [np.int64(2**40)] * 1000]
    for name, value in itertools.product([*model, "general.alignment"], values):
        yield gguf.gguf_bytes(model | {name: value}, tensors)
    for name in model:
        yield gguf.gguf_bytes({key: model[key] for key in model if key != name}, tensors)
    for name in tensors:
        yield gguf.gguf_bytes(model, {key: tensors[key] for key in tensors if key != name})
        yield gguf.gguf_bytes(model, tensors | {name: ("F32", (1,), bytes(4))})
    tokens, pairs = [f"{i:x}" for i in range(2**16)], ["0 0"] * 2**16
    for kind in (1, 3):
        many = {"tokens": tokens, "token_type": [np.int32(kind)] * 2**16, "merges": pairs}
        words = {f"tokenizer.ggml.{key}": value for key, value in many.items()}
        yield gguf.gguf_bytes(model | words, tensors)
    yield gguf.gguf_bytes(model | {"tokenizer.ggml.merges": ["t h"] * 100_000}, tensors)
    junk = {f"junk {i}": ("Q4_1", (1000, 3200), bytes(2_000_000)) for i in range(20)}
    yield gguf.gguf_bytes(model | {"llama.embedding_length": 2**12}, tensors | junk)
    yield gguf.gguf_bytes(model | {"llama.block_count": 5_000}, tensors | junk)


def mutated(rng: random.Random, raw: bytes) -> bytes:
    """raw with a few bytes changed, cut out, doubled, moved or replaced by extreme numbers."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        at, n = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 4, 8, 64))
        change = rng.randrange(6)
        if change == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif change == 1:
            data[at : at + n] = rng.randbytes(n)
        elif change == 2:
            del data[at : at + n]
        elif change == 3:
            data[at:at] = data[at : at + n]
        elif change == 4:
            data[at : at + n] = rng.choice((b"\xff", b"\x00", b"\x7f", b"\x80")) * n
        else:
            other = rng.randrange(len(data) + 1)
            data[at : at + n] = data[other : other + n]
    return bytes(data)


def mutated_head(rng: random.Random, raw: bytes) -> bytes:
    """A GGUF file of which the names, the numbers and the table were mutated, not the lists of
    tokens and not the weights, which are most of it."""
    begin, end = raw.index(b"tokenizer.ggml.tokens"), raw.index(b"tokenizer.ggml.eos_token_id")
    table = raw.index(b"token_embd")
    if rng.random() < 0.5:
        return mutated(rng, raw[:begin]) + raw[begin:]
    return raw[:end] + mutated(rng, raw[end : table + 1000]) + raw[table + 1000 :]


EXTREME = (None, True, -1, 0, 1.5, 2**70, "", "a", "a b", "Ġ", "\ud800", "<|endoftext|>", [], {})


def mutated_json(rng: random.Random, raw: bytes) -> bytes:
    """JSON with a few of its parts replaced by others or by extreme values, or taken away."""
    content = json.loads(raw)
    for _ in range(rng.choice((1, 1, 2, 4))):
        parts, place = [content], content
        while isinstance(place, (dict, list)) and place and rng.random() < 0.9:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            holder, key = place, rng.choice(keys)
            place = place[key]
            parts.append(place)
        if len(parts) > 1:
            holder[key] = json.loads(json.dumps(rng.choice((*EXTREME, *parts))))
            if rng.random() < 0.3:
                del holder[key]
    return json.dumps(content).encode()


def random_program(rng: random.Random) -> bytes:
    """A pickle of random instructions, with names that the readers know."""
    names = [b"numpy\ndtype", b"numpy\nndarray", b"numpy._core.numeric\n_frombuffer", b"os\nsystem"]
    names += [
        b"collections\nOrderedDict",
        b"_codecs\nencode",
        b"torch\nFloatStorage",
        b"torch\nSize",
    ]
    names += [
        b"torch._utils\n_rebuild_tensor_v2",
        b"builtins\ngetattr",
        b"torch._utils\n_rebuild_tensor_v3",
    ]
    program = b"\x80\x02"
    for _ in range(rng.randrange(1, 60)):
        operation = rng.choice(pickletools.opcodes)
        code = operation.code.encode("latin1")
        if operation.name in ("GLOBAL", "INST"):
            program += code + rng.choice(names) + b"\n"
        elif operation.arg is None:
            program += code
        elif operation.arg.n > 0:
            program += code + bytes(rng.choice((0, 1, 2, 255)) for _ in range(operation.arg.n))
        else:
            program += code + rng.choice((b"1\n", b"f4\n", b"\x02f4", b"\x01\x00\x00\x00x"))
    return program + b"."


def hostile_files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(suffix, content) of `count` files: the crafted ones, then mutations of good ones."""
    rng, good = random.Random(seed), good_files()
    made = list(crafted())
    if count < 2 * len(made):
        made = rng.sample(made, count // 2)
    yield from made
    program, parts = _unpacked(good[".pt"])
    pickled = good[".pkl"][: good[".pkl"].rindex(b"\nminigrad")]
    length = int.from_bytes(good[".safetensors"][:8], "little")
    header, numbers = good[".safetensors"][8 : 8 + length], good[".safetensors"][8 + length :]
    makers = [
        lambda: (".pkl", mutated(rng, pickled)),
        lambda: (".pkl", signed(mutated(rng, pickled))),
        lambda: (".pkl", mutated(rng, good[".pkl"])),
        lambda: (".pkl", signed(random_program(rng))),
        lambda: (".pt", mutated(rng, good[".pt"])),
        lambda: (".pt", archive(mutated(rng, program), parts)),
        lambda: (".pt", archive(random_program(rng), parts)),
        lambda: (".pt", archive(program, {key: mutated(rng, raw) for key, raw in parts.items()})),
        lambda: (".safetensors", mutated(rng, good[".safetensors"])),
        lambda: (".safetensors", tensors_file(mutated(rng, header), numbers)),
        lambda: (".json", mutated(rng, good[".json"])),
        lambda: (".merges", mutated(rng, good[".merges"])),
        lambda: (".gguf", mutated(rng, good[".gguf"])),
        lambda: (".gguf", mutated_head(rng, good[".gguf"])),
    ]
    for suffix in (".tokenizer", ".vocab", ".added", ".llama"):
        makers += [
            lambda suffix=suffix: (suffix, mutated(rng, good[suffix])),
            lambda suffix=suffix: (suffix, mutated_json(rng, good[suffix])),
        ]
    for _ in range(count - len(made)):
        yield rng.choice(makers)()


def _unpacked(packed: bytes) -> tuple[bytes, dict[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        parts = {Path(name).name: file.read(name) for name in file.namelist()}
    return parts.pop("data.pkl"), parts


# --- the watch -----------------------------------------------------------------------------------


def readings(path: Path, arrays: list[np.ndarray]) -> Iterator[None]:
    """Everything that a user may do with a file of this kind, one by one; adds the arrays that come
    of it."""

    def gather(x) -> None:
        if isinstance(x, np.ndarray):
            arrays.append(x)
        elif isinstance(x, (dict, list, tuple)):
            for part in x.values() if isinstance(x, dict) else x:
                gather(part)

    if path.suffix == ".pkl":
        gather(load(path))
        yield
        gather(load_model(path)[0].collect_state_dict())
    elif path.suffix == ".pt":
        gather(load_torch(path))
        yield
        gather(convert(path, path.parent / "new.out", overwrite=True).collect_state_dict())
    elif path.suffix == ".safetensors":
        gather(read_safetensors(path))
    elif path.suffix == ".gguf":
        gather([np.asarray(tensor) for tensor in read_gguf(path)[1].values()])
        yield
        model, tokenizer = load_gguf(path)
        gather(model.collect_state_dict())
        use(tokenizer)
        with np.errstate(all="ignore"):
            model(np.array([[0, 1, 2]]), cache=model.new_cache())
    else:
        place = path.parent / PLACES[path.suffix]
        intact = place.read_bytes()
        os.replace(path, place)
        try:
            if path.suffix == ".json":
                gather(GPT.from_pretrained(place.parent).collect_state_dict())
            elif path.suffix == ".llama":
                gather((model := Llama.from_pretrained(place.parent)).collect_state_dict())
                with np.errstate(all="ignore"):
                    model(np.array([[0, 1, 2]]), cache=model.new_cache())
            else:
                use(BPETokenizer.from_pretrained(place.parent))
        finally:
            place.write_bytes(intact)
    yield


def use(tokenizer: BPETokenizer) -> None:
    """Encode, decode, and write it as a file that gives the same ids."""
    text = "the cat sat <|endoftext|>\0é漢😀"
    again = BPETokenizer.from_json(tokenizer.to_json())
    for allow_special in (False, True):
        ids = tokenizer.encode(text, allow_special)
        assert again.encode(text, allow_special) == ids
        assert tokenizer.decode(ids) == text or not tokenizer.id_of.keys() >= BYTES
    tokenizer.decode(range(tokenizer.vocab_size))


def peak_memory() -> int:
    """The largest size in MB since `forget_peak`, of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def watch(folder: Path, patience: float) -> None:
    """Reads the files whose names come on standard input, and says of each what was wrong."""
    import resource

    events: list[str] = []
    suspicious = (
        "import",
        "exec",
        "compile",
        "os.",
        "subprocess.",
        "socket.",
        "ctypes.",
        "pickle.",
    )
    harmless = ("os.replace", "os.rename", "os.remove", "os.listdir", "os.mkdir", "os.putenv")

    def note(event: str, arguments: tuple) -> None:
        if event.startswith(suspicious) and event not in harmless:
            events.append(f"{event} {str(arguments)[:80]}")

    for codec in ("unicode_escape", "raw_unicode_escape", "latin1", "ascii", "cp437"):
        "".encode(codec)  # so that they are imported
    rooms = [bytearray(MARK * (n // len(MARK))) for n in (64, 256, 4096, 65536, 2**20) * 40]
    good = folder / "good.pkl"
    wanted = pickle.dumps(load(good))
    for path in sorted(folder.glob("good.*")):
        with contextlib.suppress(ValueError):  # so that all modules are imported
            list(readings(path, []))
    del rooms[::2]
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    sys.addaudithook(note)
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        size = path.stat().st_size
        events.clear()
        forget_peak()
        faults, before, times = [], peak_memory(), [time.process_time()]
        arrays: list[np.ndarray] = []
        try:
            for _ in readings(path, arrays):
                times.append(time.process_time())
        except (CheckpointError, ValueError) as error:
            text = str(error)
            if len(text) > 300 or not text.isprintable() or not isinstance(error, CheckpointError):
                faults.append(f"wrong exceptions: {error!r}"[:300])
        except BaseException as error:
            faults.append(f"wrong exceptions: {error!r}"[:300])
        times.append(time.process_time())
        seconds, memory = max(map(sub, times[1:], times)), peak_memory() - before
        if events or (folder / "harmed").exists() or pickle.dumps(load(good)) != wanted:
            faults.append(f"code run: {events[:3]}")
            (folder / "harmed").unlink(missing_ok=True)
        if any(MARK[:8] in np.ascontiguousarray(a).tobytes() for a in arrays if a.size < 1e6):
            faults.append("foreign bytes")
        if seconds > patience * (1 + size / 1e7) or memory > 300 + 4 * size / 2**20:
            faults.append(f"beyond a second or 300 MB: {seconds:.1f} s, {memory} MB")
        print(ANSWER + json.dumps(faults), flush=True)


def watched(folder: Path, paths: list[Path], patience: float) -> list[tuple[Path, str]]:
    """What the watch says of each file; one that ends it, or silences it for 30 s, is a crash."""
    found: list[tuple[Path, str]] = []
    command = [sys.executable, __file__, "--watch", str(folder), "--patience", str(patience)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONFAULTHANDLER": ""}
    while paths:
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            encoding="utf-8",
        ) as process:
            try:
                names = "".join(f"{path}\n" for path in paths[:100])
                out, complaints = process.communicate(names, timeout=120)
            except subprocess.TimeoutExpired:
                process.kill()
                out, complaints = process.communicate()
        answers = [line for line in out.splitlines() if line.startswith(ANSWER)]
        if len(answers) < len(out.splitlines()):
            found.append((paths[0], f"code run: it printed {out[:80]!r}"))
        for path, faults in zip(paths, answers):
            found += [(path, fault) for fault in json.loads(faults.removeprefix(ANSWER))]
        if len(answers) < min(len(paths), 100):
            found.append((paths[len(answers)], f"crashes: code {process.returncode}"))
            answers.append("")
        elif complaints:
            found.append((paths[0], f"wrong exceptions: on standard error, {complaints[:200]}"))
        paths = paths[len(answers) :]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000, help="files [%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="of the mutations [%(default)s]")
    parser.add_argument("--keep", type=Path, help="a folder for the files that did harm")
    parser.add_argument(
        "--patience", type=float, default=1, help="times a second on a slower machine [%(default)s]"
    )
    parser.add_argument("--watch", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.watch:
        watch(args.watch, args.patience)
        return 0
    with tempfile.TemporaryDirectory() as place:
        folder, start, paths = Path(place), time.monotonic(), []
        for suffix, content in good_files().items():
            (folder / f"good{suffix}").write_bytes(content)
        for suffix, place in PLACES.items():
            (folder / place).parent.mkdir(exist_ok=True)
            (folder / place).write_bytes(good_files()[suffix])
        (folder / "folder" / "model.safetensors").write_bytes(good_files()[".safetensors"])
        gguf.tiny().save_pretrained(folder / "llama")
        for i, (suffix, content) in enumerate(hostile_files(args.count, args.seed)):
            paths.append(folder / f"{i:04d}{suffix}")
            paths[-1].write_bytes(content)
        found = watched(folder, paths, args.patience)
        for path, fault in found:
            print(f"{path.name}: {fault}")
            if args.keep and path.exists():
                args.keep.mkdir(parents=True, exist_ok=True)
                (args.keep / path.name).write_bytes(path.read_bytes())
    counts = Counter(fault.partition(":")[0] for _, fault in found)
    print(f"{len(paths)} hostile files in {time.monotonic() - start:.0f} s:", end=" ")
    print(", ".join(f"{fault} {counts[fault]}" for fault in FAULTS))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
