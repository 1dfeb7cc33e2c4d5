"""Wrong attempts that vary a described one, and right answers, at the exercises of chapter 15."""

import struct

import numpy as np

from minigrad.gguf import halves, nibbles

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


def my_bits_per_weight__only_the_numbers__heldout_count(n, bits, n_halves):
    return sum([bits] * n) / n


def my_bits_per_weight__a_half_is_two_bits__heldout_total(n, bits, n_halves):
    total = n * bits + 2 * n_halves
    return total / n


def my_nibbles__side_by_side__heldout_slices(packed):
    out = np.empty((*packed.shape[:-1], 2 * packed.shape[-1]), np.uint8)
    out[..., 0::2] = packed % 16
    out[..., 1::2] = packed // 16
    return out


def my_nibbles__high_first__heldout_slices(packed):
    k = packed.shape[-1]
    out = np.empty((*packed.shape[:-1], 2 * k), np.uint8)
    out[..., :k], out[..., k:] = packed // 16, packed % 16
    return out


def my_unpack_q4_1__minimum_first__heldout_names(blocks):
    both = halves(blocks[:, :4])
    m, s = both[:, 0:1], both[:, 1:2]
    return m + nibbles(blocks[:, 4:]) * s


def my_unpack_q4_1__minimum_times_scale__heldout_loop(blocks):
    out = np.empty((len(blocks), 32), np.float32)
    for row, block in zip(out, blocks):
        scale, zero = halves(block[None, :4])[0]
        row[:] = (nibbles(block[4:]) + zero) * scale
    return out


def my_pack_q8_0__cut_off__heldout_trunc(x):
    top = np.max(np.abs(x), axis=-1)
    s = np.float16(top / 127)
    q = np.zeros(x.shape, np.int8)
    for i in range(len(x)):
        if s[i]:
            q[i] = np.trunc(x[i] / np.float32(s[i]))
    return np.hstack([s[:, None].view(np.uint8), q.view(np.uint8)])


def my_pack_q8_0__not_clipped__heldout_divide(x):
    top = np.max(np.abs(x), axis=1)
    s = np.float16(top / 127)[:, None]
    q = np.divide(x, s, out=np.zeros_like(x), where=s != 0)
    return np.hstack([s.view(np.uint8), np.round(q).astype(np.int8).view(np.uint8)])


def my_pack_q8_0__half_added_and_cut__heldout_loop(x):
    out = np.zeros((len(x), 34), np.uint8)
    for block, weights in zip(out, x):
        s = np.abs(weights).max(keepdims=True) / 127
        block[:2] = s.astype("<f2").view(np.uint8)
        if s := s.astype("<f2").astype(np.float32)[0]:
            numbers = [int(min(max(w / s + 0.5, -127), 127)) for w in weights]
            block[2:] = np.array(numbers, np.int8).view(np.uint8)
    return out


def my_halves_apart__the_other_way__heldout_loop(rows, n_head):
    out, d = np.empty_like(rows), len(rows) // n_head
    for head in range(n_head):
        for i in range(d // 2):
            out[head * d + 2 * i] = rows[head * d + i]
            out[head * d + 2 * i + 1] = rows[head * d + d // 2 + i]
    return out


def my_halves_apart__heads_mixed__heldout_order(rows, n_head):
    n = len(rows)
    return rows[[*range(0, n, 2), *range(1, n, 2)]]


def my_halves_apart__wide_integers__heldout_list(rows, n_head):
    n = len(rows) // n_head
    heads = [rows[i : i + n] for i in range(0, len(rows), n)]
    return np.array([row.tolist() for head in heads for part in (0, 1) for row in head[part::2]])


def my_chat_prompt__no_default__heldout_plus(messages):
    text = ""
    for message in messages:
        text += "<|im_start|>" + message["role"] + "\n"
        text += message["content"] + "<|im_end|>" + "\n"
    return text + "<|im_start|>assistant\n"


def my_chat_prompt__no_opening__heldout_plus(messages):
    text = ""
    if messages[0]["role"] != "system":
        text = "<|im_start|>system\n" + SYSTEM + "<|im_end|>\n"
    for message in messages:
        text += "<|im_start|>" + message["role"] + "\n" + message["content"] + "<|im_end|>\n"
    return text


def my_chat_prompt__no_opening_after_an_answer__heldout_plus(messages):
    text = "" if messages[0]["role"] == "system" else f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
    for message in messages:
        text += "<|im_start|>" + message["role"] + "\n" + message["content"] + "<|im_end|>\n"
    return text if message["role"] == "assistant" else text + "<|im_start|>assistant\n"


def my_bits_per_weight__correct_total(n, bits, n_halves):
    return (n * bits + 16 * n_halves) / n


def my_nibbles__correct_divmod(packed):
    high, low = np.divmod(packed, 16)
    return np.append(low, high, axis=-1)


def my_unpack_q4_1__correct_struct(blocks):
    out = np.zeros((len(blocks), 32), np.float32)
    for i, block in enumerate(blocks):
        scale, minimum = struct.unpack("<ee", block[:4].tobytes())
        out[i, :16] = scale * (block[4:] % 16).astype(np.float32) + minimum
        out[i, 16:] = scale * (block[4:] // 16).astype(np.float32) + minimum
    return out


def my_pack_q8_0__correct_loop(x):
    blocks = np.zeros((len(x), 34), np.uint8)
    for block, weights in zip(blocks, x):
        scale = np.float16(max(abs(weights.min()), abs(weights.max())) / 127)
        block[:2] = np.frombuffer(struct.pack("<e", scale), np.uint8)
        if scale:
            numbers = np.round(weights / float(scale)).clip(-127, 127)
            block[2:] = numbers.astype(np.int8).view(np.uint8)
    return blocks


def my_halves_apart__correct_loop(rows, n_head):
    parts = []
    for head in np.split(rows, n_head):
        parts += [head[::2], head[1::2]]
    return np.concatenate(parts)


def my_chat_prompt__correct_loop(messages):
    text = ""
    for i, message in enumerate(messages):
        if i == 0 and message["role"] != "system":
            text += f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
        text += "<|im_start|>{role}\n{content}<|im_end|>\n".format(**message)
    return text + "<|im_start|>assistant\n"
