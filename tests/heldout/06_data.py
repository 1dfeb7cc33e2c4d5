"""Wrong attempts that vary a described one, and right answers, at the exercises of chapter 06."""

import numpy as np


def my_encode__vocabulary_of_the_text_itself__heldout_index(text, characters):
    known = sorted(set(text))
    return [known.index(letter) for letter in text]


def my_encode__unknown_characters_become_0__heldout_loop(text, characters):
    ids = []
    for letter in text:
        ids.append(characters.index(letter) if letter in characters else 0)
    return ids


def my_shifted_window__next_block_as_the_target__heldout_split(ids, i, block_size):
    both = ids[i : i + 2 * block_size]
    return both[:block_size], both[block_size:]


def my_shifted_window__moved_around_in_a_circle__heldout_append(ids, i, block_size):
    x = ids[i : block_size + i]
    return x, np.append(x[1:], x[0])


def my_shifted_window__x_and_y_exchanged__heldout_piece(ids, i, block_size):
    piece = ids[i : i + 1 + block_size]
    y, x = piece[:-1], piece[1:]
    return x, y


def my_window_starts__forgets_the_target_of_the_last_input__heldout_while(
    n_tokens, block_size, stride
):
    starts, at = [], 0
    while at + block_size <= n_tokens:
        starts.append(at)
        at += stride
    return starts


def my_window_starts__rounds_the_number_of_windows_down__heldout_array(
    n_tokens, block_size, stride
):
    how_many = max(0, int((n_tokens - block_size) / stride))
    return (stride * np.arange(how_many)).tolist()


def my_split_starts__training_windows_run_across_the_cut__heldout_loop(n_tokens, block_size, n_val):
    train, val = [], []
    for start in range(n_tokens):
        if start < n_tokens - n_val:
            train.append(start)
        elif start + block_size < n_tokens:
            val.append(start)
    return train, val


def my_split_starts__last_target_is_a_validation_token__heldout_filter(n_tokens, block_size, n_val):
    cut = n_tokens - n_val
    starts = range(n_tokens)
    train = [s for s in starts if s + block_size <= cut]
    return train, [s for s in starts if s >= cut and s + block_size + 1 <= n_tokens]


def my_counted_bigram__repeated_pairs_count_once__heldout_set(
    train_ids, val_ids, vocab_size, extra
):
    counts = np.ones((vocab_size, vocab_size)) * extra
    for a, c in set(zip(train_ids.tolist(), train_ids[1:].tolist())):
        counts[a, c] += 1
    p = counts / counts.sum(1)[:, None]
    return p, np.mean([-np.log(p[a, c]) for a, c in zip(val_ids, val_ids[1:])])


def my_counted_bigram__measured_on_the_training_text__heldout_loop(
    train_ids, val_ids, vocab_size, extra
):
    counts, loss = np.zeros((vocab_size, vocab_size)) + extra, 0.0
    for a, c in zip(train_ids[:-1], train_ids[1:]):
        counts[a, c] += 1
    p = (counts.T / counts.sum(1)).T
    for a, c in zip(train_ids[:-1], train_ids[1:]):
        loss -= np.log(p[a, c])
    return p, loss / (len(train_ids) - 1)


def my_counted_bigram__forgets_keepdims__heldout_loop(train_ids, val_ids, vocab_size, extra):
    counts = np.zeros((vocab_size, vocab_size)) + extra
    for a, c in zip(train_ids[:-1], train_ids[1:]):
        counts[a, c] += 1
    p = counts / np.array([row.sum() for row in counts])
    return p, np.mean(-np.log([p[a, c] for a, c in zip(val_ids, val_ids[1:])]))


def my_encode__correct_loop(text, characters):
    ids = []
    for position in range(len(text)):
        if text[position] not in characters:
            raise ValueError(f"at position {position}: {text[position]!r} has no id")
        ids.append(characters.index(text[position]))
    return ids


def my_shifted_window__correct_indices(ids, i, block_size):
    where = i + np.arange(block_size)
    return ids[where], ids[where + 1]


def my_window_starts__correct_while(n_tokens, block_size, stride):
    starts, at = [], 0
    while at + block_size < n_tokens:
        starts.append(at)
        at += stride
    return starts


def my_split_starts__correct_filter(n_tokens, block_size, n_val):
    every = [(s, s + block_size) for s in range(n_tokens - block_size)]
    first = n_tokens - n_val
    return [s for s, last in every if last < first], [s for s, _ in every if s >= first]


def my_epoch_batches__correct_shuffle(n_windows, batch_size, rng):
    order = np.arange(n_windows)
    rng.shuffle(order)
    return np.split(order, range(batch_size, n_windows, batch_size))


def my_counted_bigram__correct_bincount(train_ids, val_ids, vocab_size, extra):
    pairs = train_ids[:-1] * vocab_size + train_ids[1:]
    counts = np.bincount(pairs, minlength=vocab_size**2).reshape(vocab_size, vocab_size) + extra
    table = counts / counts.sum(axis=1)[:, None]
    return table, np.mean(-np.log([table[a, c] for a, c in zip(val_ids, val_ids[1:])]))
