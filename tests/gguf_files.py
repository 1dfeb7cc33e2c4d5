"""GGUF files for tests: a writer that knows nothing of what it writes, and a tiny Llama's file."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.llama import Llama

TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q4_K": 12}
TYPES |= {"Q6_K": 14, "BF16": 30}
NUMBERS = {np.uint8: 0, np.int8: 1, np.uint16: 2, np.int16: 3, np.uint32: 4, np.int32: 5}
NUMBERS |= {np.float32: 6, np.bool_: 7, np.uint64: 10, np.int64: 11, np.float64: 12}
OF = {number: kind for kind, number in NUMBERS.items()}
PYTHONS = {bool: np.bool_, int: np.uint32, float: np.float32}  # what files use for such a number


def text(x: str | bytes) -> bytes:
    raw = x.encode() if isinstance(x, str) else x
    return struct.pack("<Q", len(raw)) + raw


def typed(x: Any) -> tuple[int, bytes]:
    """The type and the bytes of a value: a number (of Python or NumPy), a text, or a list of one of
    these, as the first entry is."""
    if isinstance(x, (str, bytes)):
        return 8, text(x)
    if isinstance(x, (list, tuple)):
        kind, _ = typed(x[0]) if x else (8, b"")
        raw = b"".join(map(text, x)) if kind == 8 else np.array(x, OF[kind]).tobytes()
        return 9, struct.pack("<IQ", kind, len(x)) + raw
    number = PYTHONS.get(type(x), type(x))(x)
    return NUMBERS[type(number)], number.tobytes()


def header(metadata: dict[str, Any], n_tensors: int, version: int = 3) -> bytes:
    """How a file begins, up to the table of its tensors."""
    entries = []
    for name, value in metadata.items():
        kind, raw = typed(value)
        entries.append(text(name) + struct.pack("<I", kind) + raw)
    return b"GGUF" + struct.pack("<IQQ", version, n_tensors, len(entries)) + b"".join(entries)


def described(name: str, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    """An entry of the table of tensors; in the file the last axis comes first."""
    axes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape[::-1])
    return text(name) + axes + struct.pack("<IQ", kind, offset)


def gguf_bytes(
    metadata: dict[str, Any], tensors: dict[str, tuple[str, tuple[int, ...], bytes]]
) -> bytes:
    """A file's bytes; each tensor is (name of its type, its shape, its raw bytes)."""
    align = metadata.get("general.alignment", 32)
    align = align if isinstance(align, (int, np.integer)) and 0 < align < 2**16 else 32
    table, data = b"", b""
    for name, (kind, shape, raw) in tensors.items():
        table += described(name, shape, TYPES[kind], len(data))
        data += raw + bytes(-len(raw) % align)
    head = header(metadata, len(tensors)) + table
    return head + bytes(-len(head) % align) + data


def write_gguf(
    path: str | Path,
    metadata: dict[str, Any],
    tensors: dict[str, tuple[str, tuple[int, ...], bytes]],
) -> None:
    Path(path).write_bytes(gguf_bytes(metadata, tensors))


# --- a Llama -------------------------------------------------------------------------------------

LETTERS = [chr(i) for i in [*range(33, 127), *range(161, 173), *range(174, 256)]]
LETTERS += [chr(256 + i) for i in range(256 - len(LETTERS))]  # for bytes that cannot be seen
TOKENS = [*LETTERS, "th", "the", "Ġthe", "<|endoftext|>"]
MERGES = ["t h", "th e", "Ġ the"]
WORDS = {  # a tokenizer of 260 tokens
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": TOKENS,
    "tokenizer.ggml.token_type": [np.int32(1)] * 259 + [np.int32(3)],
    "tokenizer.ggml.merges": MERGES,
    "tokenizer.ggml.eos_token_id": 259,
}
NAMES = {  # in the file: in our Llama
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def pairs_together(weight: np.ndarray, n_head: int) -> np.ndarray:
    """Rows of a query or key matrix as files have them: the channels of a pair side by side."""
    n_out, n_in = weight.shape
    return weight.reshape(n_head, 2, -1, n_in).swapaxes(1, 2).reshape(n_out, n_in)


def metadata_of(model: Llama, words: dict[str, Any] = WORDS) -> dict[str, Any]:
    config = model.config
    return {
        "general.architecture": "llama",
        "llama.embedding_length": config["n_embd"],
        "llama.block_count": config["n_layer"],
        "llama.attention.head_count": config["n_head"],
        "llama.attention.head_count_kv": config["n_kv_head"],
        "llama.feed_forward_length": config["n_hidden"],
        "llama.context_length": config["block_size"],
        "llama.rope.freq_base": config["rope_theta"],
        "llama.attention.layer_norm_rms_epsilon": config["norm_eps"],
        **words,
    }


def tensors_of(model: Llama) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """A model's weights in float32, under the names that files give them."""
    state, config = model.collect_state_dict(), model.config
    arrays = {"token_embd": state["model.embed_tokens.weight"]}
    for i in range(config["n_layer"]):
        for theirs, ours in NAMES.items():
            arrays[f"blk.{i}.{theirs}"] = state[f"model.layers.{i}.{ours}.weight"]
        for part, n_head in (("attn_q", "n_head"), ("attn_k", "n_kv_head")):
            name = f"blk.{i}.{part}"
            arrays[name] = pairs_together(arrays[name], config[n_head])
    arrays["output_norm"] = state["model.norm.weight"]
    if not config["tied"]:
        arrays["output"] = state["lm_head.weight"]
    return {f"{name}.weight": ("F32", a.shape, a.tobytes()) for name, a in arrays.items()}


def tiny(**sizes) -> Llama:
    """A Llama for the tokenizer above."""
    default = dict(n_embd=8, n_layer=2, n_head=2, n_kv_head=1, n_hidden=12, block_size=16)
    return Llama(vocab_size=len(TOKENS), **{**default, "rng": 0, **sizes})


def llama_gguf(model: Llama | None = None, **changes) -> bytes:
    """A whole file of a Llama in float32. `changes` are metadata, "__" for "."; None leaves out."""
    model = model or tiny()
    metadata = metadata_of(model) | {k.replace("__", "."): v for k, v in changes.items()}
    metadata = {name: value for name, value in metadata.items() if value is not None}
    return gguf_bytes(metadata, tensors_of(model))
