"""Plausible wrong attempts at the exercises of chapter 06."""

import numpy as np


def my_encode__error_of_list_index_does_not_know_the_position(text, characters):
    """the error of list.index does not know the position"""
    return [characters.index(c) for c in text]


def my_encode__vocabulary_of_the_text_itself(text, characters):
    """the vocabulary of the text itself"""
    id_of = {c: i for i, c in enumerate(sorted(set(text)))}
    return [id_of[c] for c in text]


def my_encode__sorts_a_list_whose_order_is_given(text, characters):
    """sorts a list whose order is given"""
    id_of = {c: i for i, c in enumerate(sorted(characters))}
    return [id_of[c] for c in text]


def my_encode__unknown_characters_are_dropped(text, characters):
    """unknown characters are dropped"""
    return [characters.index(c) for c in text if c in characters]


def my_encode__unknown_characters_become_0(text, characters):
    """unknown characters become 0"""
    id_of = {c: i for i, c in enumerate(characters)}
    return [id_of.get(c, 0) for c in text]


def my_encode__lets_the_keyerror_out(text, characters):
    """lets the KeyError out"""
    id_of = {c: i for i, c in enumerate(characters)}
    return [id_of[c] for c in text]


def my_encode__counts_the_position_from_1(text, characters):
    """counts the position from 1"""
    for i, c in enumerate(text, start=1):
        if c not in characters:
            raise ValueError(f"unknown character {c!r} at position {i}")
    return [characters.index(c) for c in text]


def my_encode__last_place_where_it_stands(text, characters):
    """the last place where it stands"""
    for c in text:
        if c not in characters:
            raise ValueError(f"unknown character {c!r} at position {text.rindex(c)}")
    return [characters.index(c) for c in text]


def my_encode__first_unknown_character_of_the_alphabet(text, characters):
    """the first unknown character of the alphabet, not of the text"""
    unknown = sorted(set(text) - set(characters))
    if unknown:
        raise ValueError(f"unknown character {unknown[0]!r} at position {text.index(unknown[0])}")
    return [characters.index(c) for c in text]


def my_encode__does_not_say_which_character(text, characters):
    """does not say which character"""
    for i, c in enumerate(text):
        if c not in characters:
            raise ValueError(f"unknown character at position {i}")
    return [characters.index(c) for c in text]


def my_shifted_window__next_block_as_the_target(ids, i, block_size):
    """the next block as the target"""
    return ids[i : i + block_size], ids[i + block_size : i + 2 * block_size]


def my_shifted_window__one_token_too_few_in_the_piece(ids, i, block_size):
    """one token too few in the piece"""
    window = ids[i : i + block_size]
    return window[:-1], window[1:]


def my_shifted_window__windows_that_do_not_overlap(ids, i, block_size):
    """windows that do not overlap"""
    start = i * block_size
    return ids[start : start + block_size], ids[start + 1 : start + block_size + 1]


def my_shifted_window__x_and_y_exchanged(ids, i, block_size):
    """x and y exchanged"""
    return ids[i + 1 : i + block_size + 1], ids[i : i + block_size]


def my_shifted_window__only_the_last_target(ids, i, block_size):
    """only the last target"""
    return ids[i : i + block_size], ids[i + block_size]


def my_shifted_window__target_is_the_input_itself(ids, i, block_size):
    """the target is the input itself"""
    return ids[i : i + block_size], ids[i : i + block_size]


def my_shifted_window__adds_one_to_the_ids_not_to_the_positions(ids, i, block_size):
    """adds one to the ids, not to the positions"""
    x = ids[i : i + block_size]
    return x, x + 1


def my_shifted_window__moved_around_in_a_circle(ids, i, block_size):
    """moved around in a circle"""
    x = ids[i : i + block_size]
    return x, np.roll(x, -1)


def my_window_starts__forgets_the_target_of_the_last_input(n_tokens, block_size, stride):
    """forgets the target of the last input"""
    return list(range(0, n_tokens - block_size + 1, stride))


def my_window_starts__windows_run_over_the_end(n_tokens, block_size, stride):
    """windows run over the end"""
    return list(range(0, n_tokens, stride))


def my_window_starts__ignores_the_stride(n_tokens, block_size, stride):
    """ignores the stride"""
    return list(range(n_tokens - block_size))


def my_window_starts__rounds_the_number_of_windows_down(n_tokens, block_size, stride):
    """rounds the number of windows down"""
    return [k * stride for k in range((n_tokens - block_size) // stride)]


def my_window_starts__always_side_by_side(n_tokens, block_size, stride):
    """always side by side"""
    return list(range(0, n_tokens - block_size, block_size))


def my_window_starts__step_of_1_where_windows_may_touch(n_tokens, block_size, stride):
    """a step of 1 where windows may touch"""
    return list(range(0, n_tokens - block_size - 1, stride))


def my_split_starts__training_windows_run_across_the_cut(n_tokens, block_size, n_val):
    """training windows run across the cut"""
    n_train = n_tokens - n_val
    return list(range(n_train)), list(range(n_train, n_tokens - block_size))


def my_split_starts__last_target_is_a_validation_token(n_tokens, block_size, n_val):
    """the last target is a validation token"""
    n_train = n_tokens - n_val
    return list(range(n_train - block_size + 1)), list(range(n_train, n_tokens - block_size))


def my_split_starts__validation_contexts_begin_in_the_training_part(n_tokens, block_size, n_val):
    """validation contexts begin in the training part"""
    n_train = n_tokens - n_val
    return (
        list(range(n_train - block_size)),
        list(range(n_train - block_size, n_tokens - block_size)),
    )


def my_split_starts__cuts_the_list_of_windows(n_tokens, block_size, n_val):
    """cuts the list of windows"""
    starts = list(range(n_tokens - block_size))
    return starts[:-n_val], starts[-n_val:]


def my_split_starts__validation_starts_counted_from_0(n_tokens, block_size, n_val):
    """validation starts counted from 0"""
    n_train = n_tokens - n_val
    return list(range(n_train - block_size)), list(range(n_val - block_size))


def my_split_starts__needless_gap_on_the_other_side_too(n_tokens, block_size, n_val):
    """a needless gap on the other side too"""
    n_train = n_tokens - n_val
    return (
        list(range(n_train - block_size)),
        list(range(n_train + block_size, n_tokens - block_size)),
    )


def my_epoch_batches__drawn_with_replacement(n_windows, batch_size, rng):
    """drawn with replacement"""
    n_batches = -(-n_windows // batch_size)
    sizes = [min(batch_size, n_windows - k * batch_size) for k in range(n_batches)]
    return [rng.integers(n_windows, size=size) for size in sizes]


def my_epoch_batches__drops_the_incomplete_batch(n_windows, batch_size, rng):
    """drops the incomplete batch"""
    order = rng.permutation(n_windows)
    whole = n_windows // batch_size * batch_size
    return [order[k : k + batch_size] for k in range(0, whole, batch_size)]


def my_epoch_batches__no_shuffling(n_windows, batch_size, rng):
    """no shuffling"""
    order = np.arange(n_windows)
    return [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]


def my_epoch_batches__shuffles_the_batches_not_the_windows(n_windows, batch_size, rng):
    """shuffles the batches, not the windows"""
    order = np.arange(n_windows)
    batches = [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]
    return [batches[k] for k in rng.permutation(len(batches) - 1)] + batches[-1:]


def my_epoch_batches__generator_of_its_own_so_one_order_for_ever(n_windows, batch_size, rng):
    """a generator of its own, so one order for ever"""
    order = np.random.default_rng(0).permutation(n_windows)
    return [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]


def my_epoch_batches__numpys_global_generator(n_windows, batch_size, rng):
    """NumPy's global generator"""
    order = np.random.permutation(n_windows)
    return [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]


def my_epoch_batches__equal_parts_in_place_of_equal_batches(n_windows, batch_size, rng):
    """equal parts in place of equal batches"""
    return np.array_split(rng.permutation(n_windows), -(-n_windows // batch_size))


def my_epoch_batches__each_batch_without_repetition_the_epoch_not(n_windows, batch_size, rng):
    """each batch without repetition, the epoch not"""
    n_batches = -(-n_windows // batch_size)
    sizes = [min(batch_size, n_windows - k * batch_size) for k in range(n_batches)]
    return [rng.choice(n_windows, size, replace=False) for size in sizes]


def my_counted_bigram__repeated_pairs_count_once(train_ids, val_ids, vocab_size, extra):
    """repeated pairs count once"""
    n = np.full((vocab_size, vocab_size), float(extra))
    n[train_ids[:-1], train_ids[1:]] += 1
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__columns_that_sum_to_one(train_ids, val_ids, vocab_size, extra):
    """columns that sum to one"""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=0, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__forgets_keepdims(train_ids, val_ids, vocab_size, extra):
    """forgets keepdims"""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__one_extra_for_the_whole_row(train_ids, val_ids, vocab_size, extra):
    """one extra for the whole row"""
    n = np.zeros((vocab_size, vocab_size))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = (n + extra) / (n.sum(axis=1, keepdims=True) + extra)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__extra_only_where_nothing_was_seen(train_ids, val_ids, vocab_size, extra):
    """extra only where nothing was seen"""
    n = np.zeros((vocab_size, vocab_size))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    n = np.where(n == 0, extra, n)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__add_one_whatever_extra_says(train_ids, val_ids, vocab_size, extra):
    """add-one, whatever extra says"""
    n = np.ones((vocab_size, vocab_size))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__sum_of_the_losses(train_ids, val_ids, vocab_size, extra):
    """the sum of the losses"""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).sum()


def my_counted_bigram__measured_on_the_training_text(train_ids, val_ids, vocab_size, extra):
    """measured on the training text"""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[train_ids[:-1], train_ids[1:]]).mean()


def my_counted_bigram__mean_over_the_tokens(train_ids, val_ids, vocab_size, extra):
    """the mean over the tokens"""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).sum() / len(val_ids)


def my_counted_bigram__log_of_the_mean_probability(train_ids, val_ids, vocab_size, extra):
    """the log of the mean probability"""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]].mean())
