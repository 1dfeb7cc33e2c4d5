"""Plausible wrong attempts at the exercises of chapter 06."""

import numpy as np


def my_encode__error_of_list_index_does_not_know_the_position(text, characters):
    """`list.index` raises a ValueError of its own, which knows neither the character as you write
    it nor its position in the text. See “Exercise 6.1 · Encode, or say why not”."""
    return [characters.index(c) for c in text]


def my_encode__vocabulary_of_the_text_itself(text, characters):
    """The vocabulary was made of the text itself; the ids are given by the list. See “Exercise 6.1
    · Encode, or say why not”."""
    id_of = {c: i for i, c in enumerate(sorted(set(text)))}
    return [id_of[c] for c in text]


def my_encode__sorts_a_list_whose_order_is_given(text, characters):
    """The list was sorted; an id is the place in the list as it was given. See “Exercise 6.1 ·
    Encode, or say why not”."""
    id_of = {c: i for i, c in enumerate(sorted(characters))}
    return [id_of[c] for c in text]


def my_encode__sorts_the_list_and_names_what_is_unknown(text, characters):
    """The list was sorted; an id is the place in the list as it was given. See “Exercise 6.1 ·
    Encode, or say why not”."""
    id_of = {c: i for i, c in enumerate(sorted(characters))}
    for i, c in enumerate(text):
        if c not in id_of:
            raise ValueError(f"unknown character {c!r} at position {i}")
    return [id_of[c] for c in text]


def my_encode__sorts_the_list_and_names_what_is_unknown_without_quotes(text, characters):
    """The list was sorted; an id is the place in the list as it was given. And the message names
    the character, but not as `repr` writes it, in quotes. See “Exercise 6.1 · Encode, or say why
    not”."""
    id_of = {c: i for i, c in enumerate(sorted(characters))}
    for i, c in enumerate(text):
        if c not in id_of:
            raise ValueError(f"unknown character {c} at position {i}")
    return [id_of[c] for c in text]


def my_encode__unknown_characters_are_dropped(text, characters):
    """Unknown characters were left out silently, so that the text comes back shorter than it was.
    See “Exercise 6.1 · Encode, or say why not”."""
    return [characters.index(c) for c in text if c in characters]


def my_encode__unknown_characters_become_0(text, characters):
    """Unknown characters became id 0, which belongs to another character. See “Exercise 6.1 ·
    Encode, or say why not”."""
    id_of = {c: i for i, c in enumerate(characters)}
    return [id_of.get(c, 0) for c in text]


def my_encode__lets_the_keyerror_out(text, characters):
    """The dictionary's own KeyError came out; say in a ValueError which character it was and where.
    See “Exercise 6.1 · Encode, or say why not”."""
    id_of = {c: i for i, c in enumerate(characters)}
    return [id_of[c] for c in text]


def my_encode__counts_the_position_from_1(text, characters):
    """The position was counted from 1; positions in Python begin at 0. See “Exercise 6.1 · Encode,
    or say why not”."""
    for i, c in enumerate(text, start=1):
        if c not in characters:
            raise ValueError(f"unknown character {c!r} at position {i}")
    return [characters.index(c) for c in text]


def my_encode__last_place_where_it_stands(text, characters):
    """The position is that of the last place where the character stands; name the first. See
    “Exercise 6.1 · Encode, or say why not”."""
    for c in text:
        if c not in characters:
            raise ValueError(f"unknown character {c!r} at position {text.rindex(c)}")
    return [characters.index(c) for c in text]


def my_encode__first_unknown_character_of_the_alphabet(text, characters):
    """The unknown characters were sorted first; name the one that comes first in the text. See
    “Exercise 6.1 · Encode, or say why not”."""
    unknown = sorted(set(text) - set(characters))
    if unknown:
        raise ValueError(f"unknown character {unknown[0]!r} at position {text.index(unknown[0])}")
    return [characters.index(c) for c in text]


def my_encode__does_not_say_which_character(text, characters):
    """The message says where, but not which character as `repr` writes it, in quotes. See “Exercise
    6.1 · Encode, or say why not”."""
    for i, c in enumerate(text):
        if c not in characters:
            raise ValueError(f"unknown character at position {i}")
    return [characters.index(c) for c in text]


def my_encode__capitals_become_small(text, characters):
    """The text was made lower case; to a model of characters, A and a are two. See “Exercise 6.1 ·
    Encode, or say why not”."""
    text = text.lower()
    for i, c in enumerate(text):
        if c not in characters:
            raise ValueError(f"unknown character {c!r} at position {i}")
    return [characters.index(c) for c in text]


def my_encode__blanks_at_the_ends_are_cut_off(text, characters):
    """Blanks and line breaks at the ends were cut off; they are characters like the others. See
    “Exercise 6.1 · Encode, or say why not”."""
    text = text.strip()
    for i, c in enumerate(text):
        if c not in characters:
            raise ValueError(f"unknown character {c!r} at position {i}")
    return [characters.index(c) for c in text]


def my_encode__an_array_in_place_of_a_list(text, characters):
    """The ids came as an array; a list was asked for. See “Exercise 6.1 · Encode, or say why
    not”."""
    for i, c in enumerate(text):
        if c not in characters:
            raise ValueError(f"unknown character {c!r} at position {i}")
    return np.array([characters.index(c) for c in text], dtype=int)


def my_encode__unknown_characters_join_the_list(text, characters):
    """Unknown characters were added to the list; a trained model has no row for them. See “Exercise
    6.1 · Encode, or say why not”."""
    for c in text:
        if c not in characters:
            characters.append(c)
    return [characters.index(c) for c in text]


def my_shifted_window__next_block_as_the_target(ids, i, block_size):
    """The target is the next block; each target is the token just after its input, so x and y
    overlap. See “One text, many examples”."""
    return ids[i : i + block_size], ids[i + block_size : i + 2 * block_size]


def my_shifted_window__blocks_side_by_side(ids, i, block_size):
    """The text was cut into blocks, with the next block as the target; window i begins at token i,
    and each target is the token just after its input. See “One text, many examples”."""
    start = i * block_size
    return ids[start : start + block_size], ids[start + block_size : start + 2 * block_size]


def my_shifted_window__one_token_too_few_in_the_piece(ids, i, block_size):
    """The piece has one token too few: the last input needs a target too. See “Windows: the data
    set”."""
    window = ids[i : i + block_size]
    return window[:-1], window[1:]


def my_shifted_window__windows_that_do_not_overlap(ids, i, block_size):
    """Window i was begun at token i times the block size; it begins at token i, and neighbours
    overlap. See “Exercise 6.2 · The shifted window”."""
    start = i * block_size
    return ids[start : start + block_size], ids[start + 1 : start + block_size + 1]


def my_shifted_window__x_and_y_exchanged(ids, i, block_size):
    """The two, x and y, are exchanged: the model would have to guess what stands before. See
    “Exercise 6.2 · The shifted window”."""
    return ids[i + 1 : i + block_size + 1], ids[i : i + block_size]


def my_shifted_window__only_the_last_target(ids, i, block_size):
    """Only the last input has a target; every input of the window has one. See “One text, many
    examples”."""
    return ids[i : i + block_size], ids[i + block_size]


def my_shifted_window__target_is_the_input_itself(ids, i, block_size):
    """The target is the input itself, which is easy to guess, and teaches nothing. See “One text,
    many examples”."""
    return ids[i : i + block_size], ids[i : i + block_size]


def my_shifted_window__adds_one_to_the_ids_not_to_the_positions(ids, i, block_size):
    """1 was added to the ids; what moves by one is the position. See “Exercise 6.2 · The shifted
    window”."""
    x = ids[i : i + block_size]
    return x, x + 1


def my_shifted_window__moved_around_in_a_circle(ids, i, block_size):
    """The window was turned around in a circle, so that the last target is the first input; it is
    the token that follows in the text. See “Exercise 6.2 · The shifted window”."""
    x = ids[i : i + block_size]
    return x, np.roll(x, -1)


def my_shifted_window__looks_up_what_follows_a_token(ids, i, block_size):
    """For each token one successor was looked up; a token that comes twice may be followed by two
    different ones. What counts is the position. See “Exercise 6.2 · The shifted window”."""
    following = dict(zip(ids.tolist(), ids[1:].tolist()))
    x = ids[i : i + block_size]
    return x, np.array([following[t] for t in x.tolist()])


def my_shifted_window__lists_in_place_of_arrays(ids, i, block_size):
    """The window came as lists; arrays were asked for. See “Exercise 6.2 · The shifted window”."""
    window = list(ids[i : i + block_size + 1])
    return window[:-1], window[1:]


def my_shifted_window__y_lies_two_ahead(ids, i, block_size):
    """The targets lie two tokens ahead; the token that follows is the next one. See “Exercise 6.2 ·
    The shifted window”."""
    return ids[i : i + block_size], np.append(ids, 0)[i + 2 : i + block_size + 2]


def my_window_starts__forgets_the_target_of_the_last_input(n_tokens, block_size, stride):
    """One window too many: the last input of each needs a target as well. See “Windows: the data
    set”."""
    return list(range(0, n_tokens - block_size + 1, stride))


def my_window_starts__windows_run_over_the_end(n_tokens, block_size, stride):
    """Windows begin too near to the end and run over it. See “Exercise 6.3 · Side by side”."""
    return list(range(0, n_tokens, stride))


def my_window_starts__ignores_the_stride(n_tokens, block_size, stride):
    """The starts lie one apart, whatever the stride. See “Exercise 6.3 · Side by side”."""
    return list(range(n_tokens - block_size))


def my_window_starts__rounds_the_number_of_windows_down(n_tokens, block_size, stride):
    """The number of windows was rounded down; a window that begins at 0 fits where even one start
    is left. See “Exercise 6.3 · Side by side”."""
    return [k * stride for k in range((n_tokens - block_size) // stride)]


def my_window_starts__always_side_by_side(n_tokens, block_size, stride):
    """The starts lie a block apart, whatever the stride. See “Exercise 6.3 · Side by side”."""
    return list(range(0, n_tokens - block_size, block_size))


def my_window_starts__step_of_1_where_windows_may_touch(n_tokens, block_size, stride):
    """One window too few: the last one may end with the text's last token as its target. See
    “Exercise 6.3 · Side by side”."""
    return list(range(0, n_tokens - block_size - 1, stride))


def my_window_starts__last_window_is_moved_to_fit(n_tokens, block_size, stride):
    """A further window was moved to the end of the text so that nothing is left over; its tokens
    are targets twice. See “Exercise 6.3 · Side by side”."""
    starts = list(range(0, n_tokens - block_size, stride))
    last = n_tokens - block_size - 1
    return starts + [last] if starts and starts[-1] != last else starts


def my_window_starts__an_array_in_place_of_a_list(n_tokens, block_size, stride):
    """The starts came as an array; a list was asked for. See “Exercise 6.3 · Side by side”."""
    return np.arange(0, n_tokens - block_size, stride)


def my_window_starts__windows_with_a_gap_between_them(n_tokens, block_size, stride):
    """The stride was counted from the end of a window to the next; it is the distance of the
    starts. See “Exercise 6.3 · Side by side”."""
    return list(range(0, n_tokens - block_size, block_size + stride))


def my_window_starts__difference_without_its_sign(n_tokens, block_size, stride):
    """Text and window were compared without the sign, so that a text much too short has windows
    again. See “Windows: the data set”."""
    return list(range(0, abs(n_tokens - block_size), stride))


def my_split_starts__training_windows_run_across_the_cut(n_tokens, block_size, n_val):
    """Training windows that begin before the cut and run across it were kept; they show validation
    tokens. See “What the model must not see”."""
    n_train = n_tokens - n_val
    return list(range(n_train)), list(range(n_train, n_tokens - block_size))


def my_split_starts__last_target_is_a_validation_token(n_tokens, block_size, n_val):
    """The last training window ends before the cut, but its last target lies behind it. See
    “Exercise 6.4 · A split without a leak”."""
    n_train = n_tokens - n_val
    return list(range(n_train - block_size + 1)), list(range(n_train, n_tokens - block_size))


def my_split_starts__validation_contexts_begin_in_the_training_part(n_tokens, block_size, n_val):
    """Validation windows begin in the training part; they must lie wholly among the validation
    tokens. See “Exercise 6.4 · A split without a leak”."""
    n_train = n_tokens - n_val
    return (
        list(range(n_train - block_size)),
        list(range(n_train - block_size, n_tokens - block_size)),
    )


def my_split_starts__cuts_the_list_of_windows(n_tokens, block_size, n_val):
    """The list of windows was cut, and not the text; the windows at the cut belong to both sides.
    See “What the model must not see”."""
    starts = list(range(n_tokens - block_size))
    return starts[:-n_val], starts[-n_val:]


def my_split_starts__validation_starts_counted_from_0(n_tokens, block_size, n_val):
    """The validation starts were counted from the beginning of their part; they are places in the
    whole text. See “Exercise 6.4 · A split without a leak”."""
    n_train = n_tokens - n_val
    return list(range(n_train - block_size)), list(range(n_val - block_size))


def my_split_starts__needless_gap_on_the_other_side_too(n_tokens, block_size, n_val):
    """A gap was left behind the cut too; validation windows may begin right there. See “Exercise
    6.4 · A split without a leak”."""
    n_train = n_tokens - n_val
    return (
        list(range(n_train - block_size)),
        list(range(n_train + block_size, n_tokens - block_size)),
    )


def my_split_starts__minus_zero_is_no_end(n_tokens, block_size, n_val):
    """A slice up to −n_val was taken; if that is −0, it is empty, and from −0 on it is everything.
    See “Exercise 6.4 · A split without a leak”."""
    tokens = list(range(n_tokens))
    return tokens[:-n_val][:-block_size], tokens[-n_val:][:-block_size]


def my_split_starts__one_training_window_too_few(n_tokens, block_size, n_val):
    """One training window too few: the last token of the training part may be a target. See
    “Exercise 6.4 · A split without a leak”."""
    n_train = n_tokens - n_val
    return list(range(n_train - block_size - 1)), list(range(n_train, n_tokens - block_size))


def my_split_starts__a_tenth_in_place_of_n_val(n_tokens, block_size, n_val):
    """A tenth was cut off; how many tokens are for validation is given. See “Exercise 6.4 · A split
    without a leak”."""
    n_train = int(0.9 * n_tokens)
    return list(range(n_train - block_size)), list(range(n_train, n_tokens - block_size))


def my_epoch_batches__drawn_with_replacement(n_windows, batch_size, rng):
    """Every batch was drawn with replacement, so that some windows come twice and others never. See
    “Batches: the loader”."""
    n_batches = -(-n_windows // batch_size)
    sizes = [min(batch_size, n_windows - k * batch_size) for k in range(n_batches)]
    return [rng.integers(n_windows, size=size) for size in sizes]


def my_epoch_batches__drops_the_incomplete_batch(n_windows, batch_size, rng):
    """The incomplete last batch was dropped; here nothing may be left out. See “Exercise 6.5 · One
    epoch, nothing left out”."""
    order = rng.permutation(n_windows)
    whole = n_windows // batch_size * batch_size
    return [order[k : k + batch_size] for k in range(0, whole, batch_size)]


def my_epoch_batches__no_shuffling(n_windows, batch_size, rng):
    """The windows were not shuffled, and each batch holds neighbours. See “Batches: the loader”."""
    order = np.arange(n_windows)
    return [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]


def my_epoch_batches__shuffles_the_batches_not_the_windows(n_windows, batch_size, rng):
    """The batches were shuffled and not the windows, so that each batch holds neighbours. See
    “Exercise 6.5 · One epoch, nothing left out”."""
    order = np.arange(n_windows)
    batches = [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]
    return [batches[k] for k in rng.permutation(len(batches) - 1)] + batches[-1:]


def my_epoch_batches__shuffles_finished_batches(n_windows, batch_size, rng):
    """The batches were shuffled and not the windows, so that each batch holds neighbours. See
    “Exercise 6.5 · One epoch, nothing left out”."""
    order = np.arange(n_windows)
    batches = [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]
    rng.shuffle(batches)
    return batches


def my_epoch_batches__generator_of_its_own_so_one_order_for_ever(n_windows, batch_size, rng):
    """A generator was made inside of the function, so that every epoch has the same order. See
    “Batches: the loader”."""
    order = np.random.default_rng(0).permutation(n_windows)
    return [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]


def my_epoch_batches__numpys_global_generator(n_windows, batch_size, rng):
    """NumPy's global generator was used: the seed that came in decides nothing. See “Batches: the
    loader”."""
    order = np.random.permutation(n_windows)
    return [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]


def my_epoch_batches__equal_parts_in_place_of_equal_batches(n_windows, batch_size, rng):
    """The windows were cut into equal parts; all batches but the last have `batch_size` windows.
    See “Exercise 6.5 · One epoch, nothing left out”."""
    return np.array_split(rng.permutation(n_windows), -(-n_windows // batch_size))


def my_epoch_batches__each_batch_without_repetition_the_epoch_not(n_windows, batch_size, rng):
    """Each batch was drawn without repetition, but the batches know nothing of each other. See
    “Exercise 6.5 · One epoch, nothing left out”."""
    n_batches = -(-n_windows // batch_size)
    sizes = [min(batch_size, n_windows - k * batch_size) for k in range(n_batches)]
    return [rng.choice(n_windows, size, replace=False) for size in sizes]


def my_epoch_batches__lists_in_place_of_arrays(n_windows, batch_size, rng):
    """The batches came as lists; arrays of integers were asked for. See “Exercise 6.5 · One epoch,
    nothing left out”."""
    order = rng.permutation(n_windows).tolist()
    return [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]


def my_epoch_batches__a_generator_can_be_read_only_once(n_windows, batch_size, rng):
    """A generator came back, which can be read only once; a list was asked for. See “Exercise 6.5 ·
    One epoch, nothing left out”."""
    order = rng.permutation(n_windows)
    return (order[k : k + batch_size] for k in range(0, n_windows, batch_size))


def my_epoch_batches__as_many_batches_as_fit(n_windows, batch_size, rng):
    """The windows were shared among as many whole batches as fit; where not even one fits there is
    none. See “Exercise 6.5 · One epoch, nothing left out”."""
    order = rng.permutation(n_windows)
    whole = n_windows // batch_size
    batches = [order[k * batch_size : (k + 1) * batch_size] for k in range(whole)]
    rest = order[whole * batch_size :]
    return batches + [rest] if whole and len(rest) else batches


def my_epoch_batches__an_empty_batch_at_the_end(n_windows, batch_size, rng):
    """Where the windows fill their batches, an empty one comes last. See “Exercise 6.5 · One epoch,
    nothing left out”."""
    order = rng.permutation(n_windows)
    return [order[k : k + batch_size] for k in range(0, n_windows + 1, batch_size)]


def my_epoch_batches__order_is_a_pattern(n_windows, batch_size, rng):
    """Only the beginning was drawn, and the order follows from it; a random order is a permutation.
    See “Exercise 6.5 · One epoch, nothing left out”."""
    order = (7 * np.arange(n_windows) + rng.integers(n_windows)) % n_windows
    if len(set(order.tolist())) < n_windows:
        order = rng.permutation(n_windows)
    return [order[k : k + batch_size] for k in range(0, n_windows, batch_size)]


def my_counted_bigram__repeated_pairs_count_once(train_ids, val_ids, vocab_size, extra):
    """An index that comes twice was written twice with the same number, so that each pair counts
    once at most. See “Exercise 6.6 · Counting as a model”."""
    n = np.full((vocab_size, vocab_size), float(extra))
    n[train_ids[:-1], train_ids[1:]] += 1
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__columns_that_sum_to_one(train_ids, val_ids, vocab_size, extra):
    """The columns sum to 1; a row holds what may follow one token, and so the rows must. See “The
    smallest language model”."""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=0, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__forgets_keepdims(train_ids, val_ids, vocab_size, extra):
    """The sums of the rows were set beside the columns: keep the axis, so that each row is divided
    by its own sum. See “Exercise 6.6 · Counting as a model”."""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__one_extra_for_the_whole_row(train_ids, val_ids, vocab_size, extra):
    """`extra` was added only once to the sum of a row; it was added to each count, so the row does
    not sum to 1. See “Exercise 6.6 · Counting as a model”."""
    n = np.zeros((vocab_size, vocab_size))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = (n + extra) / (n.sum(axis=1, keepdims=True) + extra)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__extra_only_where_nothing_was_seen(train_ids, val_ids, vocab_size, extra):
    """Only what was never seen got `extra`, so that it is as probable as a pair that came so often;
    every count gets it. See “Exercise 6.6 · Counting as a model”."""
    n = np.zeros((vocab_size, vocab_size))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    n = np.where(n == 0, extra, n)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__add_one_whatever_extra_says(train_ids, val_ids, vocab_size, extra):
    """1 was added to each count, whatever `extra` says. See “Exercise 6.6 · Counting as a
    model”."""
    n = np.ones((vocab_size, vocab_size))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__sum_of_the_losses(train_ids, val_ids, vocab_size, extra):
    """The losses were added up and not averaged. See “Exercise 6.6 · Counting as a model”."""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).sum()


def my_counted_bigram__measured_on_the_training_text(train_ids, val_ids, vocab_size, extra):
    """The loss was measured on the text that was counted, which flatters the model. See “What the
    model must not see”."""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[train_ids[:-1], train_ids[1:]]).mean()


def my_counted_bigram__mean_over_the_tokens(train_ids, val_ids, vocab_size, extra):
    """The sum was divided by the number of tokens; there is one pair fewer. See “Exercise 6.6 ·
    Counting as a model”."""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).sum() / len(val_ids)


def my_counted_bigram__log_of_the_mean_probability(train_ids, val_ids, vocab_size, extra):
    """The probabilities were averaged before the logarithm; the loss is the mean of the logarithms.
    See “Cross-entropy is average surprise” in chapter 04."""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]].mean())


def my_counted_bigram__table_ends_at_the_largest_token_seen(train_ids, val_ids, vocab_size, extra):
    """The table ends at the largest token that came; the vocabulary has further ones, which may
    come too. See “Exercise 6.6 · Counting as a model”."""
    size = max(train_ids.max(), val_ids.max()) + 1
    n = np.full((size, size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__last_token_is_followed_by_the_first(train_ids, val_ids, vocab_size, extra):
    """The text was closed to a circle: its last token was counted as followed by its first. See
    “The smallest language model”."""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids, np.roll(train_ids, -1)), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__validation_pairs_are_counted_too(train_ids, val_ids, vocab_size, extra):
    """The pairs of the validation text were counted too; the model must not have seen them. See
    “What the model must not see”."""
    n = np.full((vocab_size, vocab_size), float(extra))
    for ids in (train_ids, val_ids):
        np.add.at(n, (ids[:-1], ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[:-1], val_ids[1:]]).mean()


def my_counted_bigram__row_for_the_token_that_follows(train_ids, val_ids, vocab_size, extra):
    """The rows stand for the token that follows; row a holds what comes after a. See “The smallest
    language model”."""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[1:], train_ids[:-1]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    return table, -np.log(table[val_ids[1:], val_ids[:-1]]).mean()


def my_counted_bigram__each_different_pair_once(train_ids, val_ids, vocab_size, extra):
    """Each different pair of the validation text counted once; the mean runs over all its pairs,
    repeated ones too. See “Exercise 6.6 · Counting as a model”."""
    n = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(n, (train_ids[:-1], train_ids[1:]), 1)
    table = n / n.sum(axis=1, keepdims=True)
    pairs = set(zip(val_ids[:-1].tolist(), val_ids[1:].tolist()))
    return table, -np.mean([np.log(table[pair]) for pair in pairs])
