"""Plausible wrong attempts at the exercises of chapter 06."""

import numpy as np


def my_encode(text, characters):  # the error of list.index does not know the position
    return [characters.index(c) for c in text]


def my_encode(text, characters):  # the vocabulary of the text itself
    id_of = {c: i for i, c in enumerate(sorted(set(text)))}
    return [id_of[c] for c in text]


def my_encode(text, characters):  # sorts a list whose order is given
    id_of = {c: i for i, c in enumerate(sorted(characters))}
    return [id_of[c] for c in text]


def my_encode(text, characters):  # unknown characters are dropped
    return [characters.index(c) for c in text if c in characters]


def my_encode(text, characters):  # unknown characters become 0
    id_of = {c: i for i, c in enumerate(characters)}
    return [id_of.get(c, 0) for c in text]


def my_encode(text, characters):  # lets the KeyError out
    id_of = {c: i for i, c in enumerate(characters)}
    return [id_of[c] for c in text]


def my_encode(text, characters):  # counts the position from 1
    for i, c in enumerate(text, start=1):
        if c not in characters:
            raise ValueError(f"unknown character {c!r} at position {i}")
    return [characters.index(c) for c in text]


def my_encode(text, characters):  # the last place where it stands
    for c in text:
        if c not in characters:
            raise ValueError(f"unknown character {c!r} at position {text.rindex(c)}")
    return [characters.index(c) for c in text]


def my_encode(text, characters):  # the first unknown character of the alphabet, not of the text
    unknown = sorted(set(text) - set(characters))
    if unknown:
        raise ValueError(f"unknown character {unknown[0]!r} at position {text.index(unknown[0])}")
    return [characters.index(c) for c in text]


def my_encode(text, characters):  # does not say which character
    for i, c in enumerate(text):
        if c not in characters:
            raise ValueError(f"unknown character at position {i}")
    return [characters.index(c) for c in text]


def my_shifted_window(ids, i, block_size):  # the next block as the target
    return ids[i : i + block_size], ids[i + block_size : i + 2 * block_size]


def my_shifted_window(ids, i, block_size):  # one token too few in the piece
    window = ids[i : i + block_size]
    return window[:-1], window[1:]


def my_shifted_window(ids, i, block_size):  # windows that do not overlap
    start = i * block_size
    return ids[start : start + block_size], ids[start + 1 : start + block_size + 1]


def my_shifted_window(ids, i, block_size):  # x and y exchanged
    return ids[i + 1 : i + block_size + 1], ids[i : i + block_size]


def my_shifted_window(ids, i, block_size):  # only the last target
    return ids[i : i + block_size], ids[i + block_size]


def my_shifted_window(ids, i, block_size):  # the target is the input itself
    return ids[i : i + block_size], ids[i : i + block_size]


def my_shifted_window(ids, i, block_size):  # adds one to the ids, not to the positions
    x = ids[i : i + block_size]
    return x, x + 1


def my_shifted_window(ids, i, block_size):  # moved around in a circle
    x = ids[i : i + block_size]
    return x, np.roll(x, -1)


def my_window_starts(n_tokens, block_size, stride):  # forgets the target of the last input
    return list(range(0, n_tokens - block_size + 1, stride))


def my_window_starts(n_tokens, block_size, stride):  # windows run over the end
    return list(range(0, n_tokens, stride))


def my_window_starts(n_tokens, block_size, stride):  # ignores the stride
    return list(range(n_tokens - block_size))


def my_window_starts(n_tokens, block_size, stride):  # rounds the number of windows down
    return [k * stride for k in range((n_tokens - block_size) // stride)]


def my_window_starts(n_tokens, block_size, stride):  # always side by side
    return list(range(0, n_tokens - block_size, block_size))


def my_window_starts(n_tokens, block_size, stride):  # a step of 1 where windows may touch
    return list(range(0, n_tokens - block_size - 1, stride))


def my_split_starts(n_tokens, block_size, n_val):  # training windows run across the cut
    n_train = n_tokens - n_val
    return list(range(n_train)), list(range(n_train, n_tokens - block_size))


def my_split_starts(n_tokens, block_size, n_val):  # the last target is a validation token
    n_train = n_tokens - n_val
    return list(range(n_train - block_size + 1)), list(range(n_train, n_tokens - block_size))


def my_split_starts(n_tokens, block_size, n_val):  # validation contexts begin in the training part
    n_train = n_tokens - n_val
    return (
        list(range(n_train - block_size)),
        list(range(n_train - block_size, n_tokens - block_size)),
    )


def my_split_starts(n_tokens, block_size, n_val):  # cuts the list of windows
    starts = list(range(n_tokens - block_size))
    return starts[:-n_val], starts[-n_val:]


def my_split_starts(n_tokens, block_size, n_val):  # validation starts counted from 0
    n_train = n_tokens - n_val
    return list(range(n_train - block_size)), list(range(n_val - block_size))


def my_split_starts(n_tokens, block_size, n_val):  # a needless gap on the other side too
    n_train = n_tokens - n_val
    return (
        list(range(n_train - block_size)),
        list(range(n_train + block_size, n_tokens - block_size)),
    )


def my_epoch_batches(n_windows, batch_size, rng):  # drawn with replacement
    n_batches = -(-n_windows // batch_size)
    sizes = [min(batch_size, n_windows - k * batch_size) for k in range(n_batches)]
    return [rng.integers(n_windows, size=size) for size in sizes]


def my_epoch_batches(n_windows, batch_size, rng):  # drops the incomplete batch
    order = rng.permutation(n_windows)
    whole = n_windows // batch_size * batch_size
    return [order[k : k + batch_size] for k in range(0, whole, batch_size)]


def my_epoch_batches(n_windows, batch_size, rng):  # no shuffling
    order = np.arange(n_windows)
    return [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]


def my_epoch_batches(n_windows, batch_size, rng):  # shuffles the batches, not the windows
    order = np.arange(n_windows)
    batches = [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]
    return [batches[k] for k in rng.permutation(len(batches) - 1)] + batches[-1:]


def my_epoch_batches(n_windows, batch_size, rng):  # a generator of its own, so one order for ever
    order = np.random.default_rng(0).permutation(n_windows)
    return [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]


def my_epoch_batches(n_windows, batch_size, rng):  # NumPy's global generator
    order = np.random.permutation(n_windows)
    return [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]


def my_epoch_batches(n_windows, batch_size, rng):  # equal parts in place of equal batches
    return np.array_split(rng.permutation(n_windows), -(-n_windows // batch_size))


def my_epoch_batches(n_windows, batch_size, rng):  # each batch without repetition, the epoch not
    n_batches = -(-n_windows // batch_size)
    sizes = [min(batch_size, n_windows - k * batch_size) for k in range(n_batches)]
    return [rng.choice(n_windows, size, replace=False) for size in sizes]


def my_counted_bigram(train_ids, val_ids, vocab_size, extra):  # repeated pairs count once
    n = np.full((vocab_size, vocab_size), float(extra))
    n[train_ids[:-1], train_ids[1:]] += 1
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram(train_ids, val_ids, vocab_size, extra):  # columns that sum to one
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=0, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram(train_ids, val_ids, vocab_size, extra):  # forgets keepdims
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram(train_ids, val_ids, vocab_size, extra):  # one extra for the whole row
    n = np.zeros((vocab_size, vocab_size))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = (n + extra) / (n.sum(axis=1, keepdims=True) + extra)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram(train_ids, val_ids, vocab_size, extra):  # extra only where nothing was seen
    n = np.zeros((vocab_size, vocab_size))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    n = np.where(n == 0, extra, n)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram(train_ids, val_ids, vocab_size, extra):  # add-one, whatever extra says
    n = np.ones((vocab_size, vocab_size))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram(train_ids, val_ids, vocab_size, extra):  # the sum of the losses
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).sum()


def my_counted_bigram(train_ids, val_ids, vocab_size, extra):  # measured on the training text
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[train_ids[:-1], train_ids[1:]]).mean()


def my_counted_bigram(train_ids, val_ids, vocab_size, extra):  # the mean over the tokens
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).sum() / len(val_ids)


def my_counted_bigram(train_ids, val_ids, vocab_size, extra):  # the log of the mean probability
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]].mean())
