"""Plausible wrong attempts at the exercises of chapter 15."""

import numpy as np

from minigrad.gguf import halves, nibbles

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


def my_bits_per_weight__only_the_numbers(n, bits, n_halves):
    """What the block's weights share was left out: a scale and a minimum stand in the file too. See
    “Why blocks”."""
    return float(bits)


def my_bits_per_weight__a_half_is_two_bits(n, bits, n_halves):
    """A number of half precision was counted as 2, its bytes, among bits; it has 16 bits. See “Why
    blocks”."""
    return bits + 2 * n_halves / n


def my_bits_per_weight__a_float_for_each(n, bits, n_halves):
    """Scale and minimum were counted with 32 bits each, as in float32; in a block they are halves.
    See “Why blocks”."""
    return bits + 32 * n_halves / n


def my_bits_per_weight__of_the_block(n, bits, n_halves):
    """These are the bits of a whole block; its weights share them, so divide by their number. See
    “Exercise 15.1 · Bits a weight”."""
    return float(n * bits + 16 * n_halves)


def my_bits_per_weight__whole_bits(n, bits, n_halves):
    """The quotient was rounded down; on average a weight may take half a bit. See “Exercise 15.1 ·
    Bits a weight”."""
    return float(bits + 16 * n_halves // n)


def my_bits_per_weight__bytes(n, bits, n_halves):
    """The result was divided by 8: these are bytes a weight, and bits were asked for. See “Exercise
    15.1 · Bits a weight”."""
    return (bits + 16 * n_halves / n) / 8


def my_bits_per_weight__one_half_whatever(n, bits, n_halves):
    """A single half was counted, however many there are; with a minimum there are two. See “Why
    blocks”."""
    return bits + 16 / n


def my_bits_per_weight__each_weight_has_them(n, bits, n_halves):
    """Every weight was given a scale of its own; the point of a block is that its weights share
    one. See “Why blocks”."""
    return float(bits + 16 * n_halves)


def my_bits_per_weight__whole_bytes(n, bits, n_halves):
    """The block was rounded up to whole bytes; the exercise asks for the bits alone. See “Exercise
    15.1 · Bits a weight”."""
    return -(-(n * bits + 16 * n_halves) // 8) * 8 / n


def my_nibbles__side_by_side(packed):
    """The two halves of a byte were put side by side; but in a block the low halves of all bytes
    come first, and then the high ones. See “Half a byte”."""
    return np.stack([packed & 15, packed >> 4], axis=-1).reshape(*packed.shape[:-1], -1)


def my_nibbles__high_first(packed):
    """The high halves were put first. The first numbers of a block are in the low halves. See “Half
    a byte”."""
    return np.concatenate([packed >> 4, packed & 15], axis=-1)


def my_nibbles__not_moved_down(packed):
    """The high four bits were kept where they are, so they count sixteen times as much; move them
    down. See “Half a byte”."""
    return np.concatenate([packed & 15, packed & 240], axis=-1)


def my_nibbles__low_half_not_cut(packed):
    """The whole byte was taken for its low half; its high bits must be cut off. See “Half a
    byte”."""
    return np.concatenate([packed, packed >> 4], axis=-1)


def my_nibbles__below_the_rows(packed):
    """The high halves were put below the rows; each block keeps its own, along the last axis. See
    “Exercise 15.2 · Nibbles”."""
    return np.concatenate([packed & 15, packed >> 4], axis=0)


def my_nibbles__axis_one(packed):
    """It works for a table of blocks only: a single block has no axis 1, and with three axes that
    is not the last. See “Exercise 15.2 · Nibbles”."""
    return np.concatenate([packed & 15, packed >> 4], axis=1)


def my_nibbles__with_a_sign(packed):
    """The numbers were read with a sign, from -8 to 7; in these blocks they run from 0 to 15. See
    “Exercise 15.2 · Nibbles”."""
    both = np.concatenate([packed & 15, packed >> 4], axis=-1).view(np.int8)
    return np.where(both > 7, both - 16, both).astype(np.int8)


def my_nibbles__floats(packed):
    """The byte was divided by 16, which gives a float with the low half behind the point; a shift
    drops it. See “Half a byte”."""
    return np.concatenate([packed % 16, packed / 16], axis=-1)


def my_nibbles__three_bits(packed):
    """The mask was 7, which keeps three bits; four bits are 15. See “Half a byte”."""
    return np.concatenate([packed & 7, packed >> 4], axis=-1)


def my_nibbles__wide_integers(packed):
    """The numbers are right, but each takes eight bytes: an int64. What is read later looks at
    bytes, and so they must stay uint8. See “Exercise 15.2 · Nibbles”."""
    return np.concatenate([packed & 15, packed >> 4], axis=-1).astype(int)


def my_unpack_q4_1__minimum_first(blocks):
    """Scale and minimum were exchanged: the scale is the first two bytes of a block. See “Exercise
    15.3 · A block of Q4_1”."""
    minimum, scale = halves(blocks[:, :2]), halves(blocks[:, 2:4])
    return scale * nibbles(blocks[:, 4:]) + minimum


def my_unpack_q4_1__minimum_subtracted(blocks):
    """The minimum was subtracted, as it is when weights are packed; on the way back it is added.
    See “Four weights in one byte, by hand”."""
    scale, minimum = halves(blocks[:, :2]), halves(blocks[:, 2:4])
    return scale * nibbles(blocks[:, 4:]) - minimum


def my_unpack_q4_1__minimum_times_scale(blocks):
    """The minimum was added to the numbers before the scale: it is a weight, not a number of steps.
    See “Four weights in one byte, by hand”."""
    scale, minimum = halves(blocks[:, :2]), halves(blocks[:, 2:4])
    return scale * (nibbles(blocks[:, 4:]) + minimum)


def my_unpack_q4_1__no_minimum(blocks):
    """The minimum was left out, as in types whose names end in _0. See “Why blocks”."""
    return halves(blocks[:, :2]) * nibbles(blocks[:, 4:])


def my_unpack_q4_1__minus_eight(blocks):
    """8 was subtracted from the numbers, as in Q4_0, which has no minimum; here the numbers count
    from the minimum. See “Why blocks”."""
    scale, minimum = halves(blocks[:, :2]), halves(blocks[:, 2:4])
    return scale * (nibbles(blocks[:, 4:]).astype(np.float32) - 8) + minimum


def my_unpack_q4_1__the_first_scale_for_all(blocks):
    """The first block's scale and minimum were used for all; each row has its own. See “Exercise
    15.3 · A block of Q4_1”."""
    scale, minimum = halves(blocks[:, :4])[0]
    return scale * nibbles(blocks[:, 4:]) + minimum


def my_unpack_q4_1__side_by_side(blocks):
    """The halves of a byte were taken for neighbours: the right numbers in the wrong places. Use
    `nibbles`. See “Half a byte”."""
    scale, minimum = halves(blocks[:, :2]), halves(blocks[:, 2:4])
    packed = blocks[:, 4:]
    numbers = np.stack([packed & 15, packed >> 4], axis=-1).reshape(len(blocks), -1)
    return scale * numbers + minimum


def my_unpack_q4_1__high_byte_first(blocks):
    """The two bytes of a half were read the other way round; in the file the low byte comes first.
    See “Half a byte”."""
    scale, minimum = np.split(blocks[:, :4].copy().view(">f2").astype(np.float32), 2, axis=1)
    with np.errstate(all="ignore"):
        return scale * nibbles(blocks[:, 4:]) + minimum


def my_unpack_q4_1__in_half_precision(blocks):
    """The sum was computed in half precision, so its digits are lost once more; `halves` gives
    float32. See “Exercise 15.3 · A block of Q4_1”."""
    scale, minimum = np.split(halves(blocks[:, :4]).astype(np.float16), 2, axis=1)
    return scale * nibbles(blocks[:, 4:]) + minimum


def my_unpack_q4_1__eight_bits(blocks):
    """The sum was put back into integers of 8 bits, and what stands behind the point is gone. See
    “Exercise 15.3 · A block of Q4_1”."""
    scale, minimum = halves(blocks[:, :2]), halves(blocks[:, 2:4])
    with np.errstate(all="ignore"):
        numbers = (scale * nibbles(blocks[:, 4:]) + minimum).astype(np.int64).astype(np.int8)
    return numbers.astype(np.float32)


def my_unpack_q4_1__the_scale_is_not_used(blocks):
    """The numbers were added to the minimum as they are; they count steps, and a step is the scale.
    See “Four weights in one byte, by hand”."""
    return nibbles(blocks[:, 4:]) + halves(blocks[:, 2:4])


class Eight:
    """What the attempts at packing share."""

    @staticmethod
    def scale(x, most=127):
        return (np.abs(x).max(axis=1, keepdims=True) / most).astype(np.float16)

    @staticmethod
    def step(scale):
        return np.where(scale == 0, 1, scale).astype(np.float32)

    @staticmethod
    def blocks(x, scale, numbers):
        scale = np.array(np.broadcast_to(scale, (len(x), 1)), np.float16)
        numbers = np.array(numbers, np.int8)
        return np.concatenate([scale.view(np.uint8), numbers.view(np.uint8)], axis=1)


def my_pack_q8_0__cut_off(x):
    """The quotient was cut off towards zero, not rounded: errors of up to a whole step, and all
    weights become smaller. See “Four weights in one byte, by hand”."""
    scale = Eight.scale(x)
    return Eight.blocks(x, scale, (x / Eight.step(scale)).astype(np.int8))


def my_pack_q8_0__rounded_down(x):
    """The quotient was rounded down, so all weights move down, by half a step on average; take the
    nearest integer. See “Four weights in one byte, by hand”."""
    scale = Eight.scale(x)
    return Eight.blocks(x, scale, np.floor(x / Eight.step(scale)))


def my_pack_q8_0__one_scale_for_all(x):
    """One scale was taken for all blocks; then a single large weight spoils the others. See “Why
    blocks”."""
    scale = np.full((len(x), 1), np.abs(x).max() / 127).astype(np.float16)
    return Eight.blocks(x, scale, np.rint(x / Eight.step(scale)))


def my_pack_q8_0__the_exact_scale(x):
    """The numbers were chosen with the exact scale, but the file has the rounded one, with which
    they are read. See “The way back”."""
    scale = np.abs(x).max(axis=1, keepdims=True) / np.float32(127)
    return Eight.blocks(x, scale, np.rint(x / np.where(scale == 0, 1, scale)))


def my_pack_q8_0__over_128(x):
    """The largest size was divided by 128, so it becomes 128, which an int8 does not have. See
    “Exercise 15.4 · Pack eight bits”."""
    scale = Eight.scale(x, 128)
    return Eight.blocks(x, scale, np.rint(x / Eight.step(scale)).clip(-128, 127))


def my_pack_q8_0__largest_not_in_size(x):
    """The largest weight decided, not the largest in size: a block whose extreme is negative
    overflows. See “Exercise 15.4 · Pack eight bits”."""
    scale = (x.max(axis=1, keepdims=True) / 127).astype(np.float16)
    return Eight.blocks(x, scale, np.rint(x / Eight.step(scale)).clip(-128, 127))


def my_pack_q8_0__zeros_divided_by_zero(x):
    """In a block of zeros the scale is 0, and 0 / 0 is no number. See “Exercise 15.4 · Pack eight
    bits”."""
    scale = Eight.scale(x)
    with np.errstate(all="ignore"):
        numbers = np.where(scale == 0, 127, np.rint(x / scale.astype(np.float32)))
    return Eight.blocks(x, scale, np.nan_to_num(numbers, nan=127))


def my_pack_q8_0__zero_by_zero_is_zero(x):
    """0 / 0 is no number, and what it becomes as an integer depends on the processor: here it
    happens to be 0. Divide only where the scale is not 0. See “Exercise 15.4 · Pack eight bits”."""
    scale = Eight.scale(x)
    numbers = np.rint(x / scale.astype(np.float32)).clip(-127, 127)
    return Eight.blocks(x, scale, numbers.astype(np.int8))


def my_pack_q8_0__zeros_only_if_all_are(x):
    """Zeros were looked for in the whole array; but one block may be zeros and another not, so each
    needs its own answer. See “Exercise 15.4 · Pack eight bits”."""
    if not x.any():
        return np.zeros((len(x), 34), np.uint8)
    scale = Eight.scale(x)
    numbers = np.rint(x / scale.astype(np.float32)).clip(-127, 127)
    return Eight.blocks(x, scale, numbers.astype(np.int8))


def my_pack_q8_0__scale_one_for_zeros(x):
    """To divide by 1 where the scale is 0 is right, but the 1 was also written into the file; there
    the scale of zeros is 0. See “Exercise 15.4 · Pack eight bits”."""
    scale = Eight.scale(x)
    scale = np.where(scale == 0, 1, scale).astype(np.float16)
    return Eight.blocks(x, scale, np.rint(x / scale.astype(np.float32)).clip(-127, 127))


def my_pack_q8_0__half_added_and_cut(x):
    """A half was added and the rest cut off, which is the nearest integer for positive numbers
    only: an integer's cut goes towards zero, so negative ones lose one. See “Exercise 15.4 · Pack
    eight bits”."""
    scale = Eight.scale(x)
    return Eight.blocks(x, scale, (x / Eight.step(scale) + 0.5).clip(-127, 127).astype(np.int8))


def my_pack_q8_0__not_clipped(x):
    """The numbers were not clipped. Where weights are so tiny that half precision has no fitting
    scale, they pass 127 and come round from the other side. See “Exercise 15.4 · Pack eight
    bits”."""
    scale = Eight.scale(x)
    return Eight.blocks(x, scale, np.rint(x / Eight.step(scale)).astype(np.int8))


def my_pack_q8_0__scale_behind(x):
    """The scale was put behind the numbers; a block begins with it. See “Exercise 15.4 · Pack eight
    bits”."""
    scale = Eight.scale(x)
    blocks = Eight.blocks(x, scale, np.rint(x / Eight.step(scale)))
    return np.concatenate([blocks[:, 2:], blocks[:, :2]], axis=1)


def my_pack_q8_0__a_scale_in_float32(x):
    """The scale was written in float32, four bytes; a block has two for it. See “Exercise 15.4 ·
    Pack eight bits”."""
    scale = Eight.scale(x).astype(np.float32)
    numbers = np.rint(x / Eight.step(scale)).astype(np.int8)
    return np.concatenate([scale.view(np.uint8), numbers.view(np.uint8)], axis=1)


def my_pack_q8_0__shifted_by_128(x):
    """128 was added to make all numbers positive; an int8 has its sign, and negative numbers are
    bytes above 127 anyway. See “Exercise 15.4 · Pack eight bits”."""
    scale = Eight.scale(x)
    numbers = (np.rint(x / Eight.step(scale)) + 128).astype(np.uint8)
    return np.concatenate([scale.view(np.uint8), numbers], axis=1)


def my_pack_q8_0__from_smallest_to_largest(x):
    """The scale spans the distance from the smallest to the largest weight, as in types with a
    minimum. Q8_0 has none: 0 stays 0, and the largest size decides. See “Why blocks”."""
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    scale = ((high - low) / 255).astype(np.float16)
    return Eight.blocks(x, scale, np.rint((x - low) / Eight.step(scale)) - 128)


def my_halves_apart__the_other_way(rows, n_head):
    """That is the way from our order to the file's: it brings the two halves of a head together
    again. In a head of four rows both ways are the same. See “Rows in another order”."""
    heads = rows.reshape(n_head, 2, -1, *rows.shape[1:])
    return heads.swapaxes(1, 2).reshape(rows.shape)


def my_halves_apart__heads_mixed(rows, n_head):
    """Even and odd rows were parted over the whole matrix; each head must keep its rows. See “Rows
    in another order”."""
    return np.concatenate([rows[0::2], rows[1::2]])


def my_halves_apart__odd_first(rows, n_head):
    """The odd rows were put first; the first channel of each pair belongs to the first half. See
    “Rows in another order”."""
    heads = rows.reshape(n_head, -1, 2, *rows.shape[1:])[:, :, ::-1]
    return heads.swapaxes(1, 2).reshape(rows.shape)


def my_halves_apart__columns(rows, n_head):
    """The columns were moved, not the rows: a row of the matrix makes one channel, its columns are
    what it is made of. See “Rows in another order”."""
    if rows.shape[1] < 2:
        return rows.copy()
    return np.concatenate([rows[:, 0::2], rows[:, 1::2]], axis=1)


def my_halves_apart__not_at_all(rows, n_head):
    """The rows came back as they were. See “Rows in another order”."""
    return rows.copy()


def my_halves_apart__heads_across(rows, n_head):
    """The rows were taken as if those of the heads alternated; the heads stand one after the other.
    See “Exercise 15.5 · Halves apart”."""
    order = np.arange(len(rows)).reshape(-1, 2, n_head).transpose(2, 1, 0).ravel()
    return rows[order]


def my_halves_apart__pairs_for_heads(rows, n_head):
    """The number of heads was taken for the number of pairs in a head. See “Exercise 15.5 · Halves
    apart”."""
    pairs = rows.reshape(-1, n_head, 2, *rows.shape[1:])
    return pairs.swapaxes(1, 2).reshape(rows.shape)


def my_halves_apart__heads_left_apart(rows, n_head):
    """The heads were left on an axis of their own; the result has the shape of the matrix. See
    “Exercise 15.5 · Halves apart”."""
    heads = rows.reshape(n_head, -1, 2, *rows.shape[1:])
    return heads.swapaxes(1, 2).reshape(n_head, -1, *rows.shape[1:])


def my_halves_apart__floats(rows, n_head):
    """The rows were copied into an array of floats; packed rows are bytes and must stay so. See
    “Exercise 15.5 · Halves apart”."""
    out = np.zeros(rows.shape)
    d = len(rows) // n_head
    for h in range(n_head):
        out[h * d : h * d + d // 2] = rows[h * d : (h + 1) * d : 2]
        out[h * d + d // 2 : (h + 1) * d] = rows[h * d + 1 : (h + 1) * d : 2]
    return out


def my_halves_apart__two_axes_only(rows, n_head):
    """The second axis was named, and the others forgotten: rows may be single numbers, or have
    several axes of their own. See “Exercise 15.5 · Halves apart”."""
    heads = rows.reshape(n_head, -1, 2, rows.shape[1])
    return heads.swapaxes(1, 2).reshape(rows.shape)


def my_halves_apart__wide_integers(rows, n_head):
    """The rows were copied into an array of int64; packed rows are bytes and must stay so. See
    “Exercise 15.5 · Halves apart”."""
    out = np.zeros(rows.shape, dtype=int)
    heads = rows.reshape(n_head, -1, 2, *rows.shape[1:])
    out[:] = heads.swapaxes(1, 2).reshape(rows.shape)
    return out


class Chat:
    """What the attempts at a prompt share."""

    OPENING = "<|im_start|>assistant\n"

    @staticmethod
    def text(messages, end="<|im_end|>\n", after_role="\n"):
        return "".join(f"<|im_start|>{m['role']}{after_role}{m['content']}{end}" for m in messages)

    @staticmethod
    def with_system(messages):
        if messages[0]["role"] == "system":
            return messages
        return [{"role": "system", "content": SYSTEM}, *messages]


def my_chat_prompt__no_default(messages):
    """Without a system message of one's own nothing was put in its place; the template puts the
    default text there. See “What a question looks like”."""
    return Chat.text(messages) + Chat.OPENING


def my_chat_prompt__default_always(messages):
    """The default system text was written even where the first message is one of the system. See
    “What a question looks like”."""
    return Chat.text([{"role": "system", "content": SYSTEM}, *messages]) + Chat.OPENING


def my_chat_prompt__default_unless_any(messages):
    """The default was left out because some later message is one of the system; only the first
    decides. See “What a question looks like”."""
    if not any(m["role"] == "system" for m in messages):
        messages = [{"role": "system", "content": SYSTEM}, *messages]
    return Chat.text(messages) + Chat.OPENING


def my_chat_prompt__no_opening(messages):
    """The answer was not opened: the model would have to guess who speaks next. See “What a
    question looks like”."""
    return Chat.text(Chat.with_system(messages))


def my_chat_prompt__no_opening_after_an_answer(messages):
    """The answer was opened only if the assistant did not speak last; the template opens it
    whenever it is asked to. See “Exercise 15.6 · A conversation”."""
    opening = Chat.OPENING if messages[-1]["role"] != "assistant" else ""
    return Chat.text(Chat.with_system(messages)) + opening


def my_chat_prompt__answer_closed(messages):
    """The answer was opened and closed at once: an empty answer, with nothing to go on with. See
    “What a question looks like”."""
    return Chat.text(Chat.with_system(messages)) + Chat.OPENING + "<|im_end|>\n"


def my_chat_prompt__no_line_after_the_end(messages):
    """The line break after <|im_end|> is missing. The model has seen it in every conversation. See
    “What a question looks like”."""
    return Chat.text(Chat.with_system(messages), end="<|im_end|>") + Chat.OPENING


def my_chat_prompt__line_before_the_end(messages):
    """A line break was put between the content and <|im_end|>; the content ends where it ends. See
    “What a question looks like”."""
    return Chat.text(Chat.with_system(messages), end="\n<|im_end|>\n") + Chat.OPENING


def my_chat_prompt__no_line_after_the_role(messages):
    """The role and the content run into each other: a line break stands between them. See “What a
    question looks like”."""
    return Chat.text(Chat.with_system(messages), after_role=" ") + Chat.OPENING


def my_chat_prompt__opening_without_a_line(messages):
    """After the opening `<|im_start|>assistant` a line break belongs to the prompt; else the model
    has to write it first. See “What a question looks like”."""
    return Chat.text(Chat.with_system(messages)) + "<|im_start|>assistant"


def my_chat_prompt__stripped(messages):
    """The contents were stripped of blanks and line breaks at their ends; the template takes them
    as they are. See “Exercise 15.6 · A conversation”."""
    messages = [{**m, "content": m["content"].strip()} for m in Chat.with_system(messages)]
    return Chat.text(messages) + Chat.OPENING


def my_chat_prompt__into_the_callers_list(messages):
    """The system text was put into the caller's own list, where the next call finds it; make a new
    list. See “Exercise 15.6 · A conversation”."""
    if messages[0]["role"] != "system":
        messages.insert(0, {"role": "system", "content": SYSTEM})
    return Chat.text(messages) + Chat.OPENING


def my_chat_prompt__only_the_last(messages):
    """Only the last message was written; the model remembers nothing but what the prompt holds. See
    “Exercise 15.6 · A conversation”."""
    first, last = Chat.with_system(messages)[0], messages[-1]
    return Chat.text([first, last] if first is not last else [last]) + Chat.OPENING


def my_chat_prompt__everybody_is_a_user(messages):
    """Every message after the system's was written as a user's; the roles tell who said what. See
    “What a question looks like”."""
    first, *others = Chat.with_system(messages)
    return Chat.text([first, *({**m, "role": "user"} for m in others)]) + Chat.OPENING
