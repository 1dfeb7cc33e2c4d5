"""Plausible wrong attempts at the exercises of the appendix."""

import numpy as np


def my_unigram_bits__no_smoothing(train_ids, val_ids, vocab_size):
    """A character that was never seen has the count 0 here, and costs infinitely many bits;
    every count is raised by one. See “Build: what a good number is”."""
    n = np.bincount(train_ids, minlength=vocab_size)
    with np.errstate(divide="ignore"):
        return -np.log2(n / n.sum())[val_ids].mean()


def my_unigram_bits__nats_for_bits(train_ids, val_ids, vocab_size):
    """The natural logarithm gives nats; bits need the logarithm to base 2. See “Build: what a
    good number is”."""
    n = np.bincount(train_ids, minlength=vocab_size) + 1
    return -np.log(n / n.sum())[val_ids].mean()


def my_unigram_bits__denominator_without_the_added_ones(train_ids, val_ids, vocab_size):
    """The counts were raised by one and their sum was not, so that the probabilities sum to more
    than 1. See “Build: what a good number is”."""
    n = np.bincount(train_ids, minlength=vocab_size)
    return -np.log2((n + 1) / n.sum())[val_ids].mean()


def my_unigram_bits__sum_for_a_mean(train_ids, val_ids, vocab_size):
    """The bits of all characters were added up; asked for are the bits of one, on average. See
    “Exercise A1.1 · Unigram bits”."""
    n = np.bincount(train_ids, minlength=vocab_size) + 1
    return -np.log2(n / n.sum())[val_ids].sum()


def my_unigram_bits__entropy_of_the_training_text(train_ids, val_ids, vocab_size):
    """The entropy of the training text was computed; the model is to be judged on the characters
    of the other part. See “Exercise A1.1 · Unigram bits”."""
    p = (np.bincount(train_ids, minlength=vocab_size) + 1) / (len(train_ids) + vocab_size)
    return -(p * np.log2(p)).sum()


def my_unigram_bits__judged_on_the_training_text(train_ids, val_ids, vocab_size):
    """The model was judged on the text that it was counted from, which it knows. See “Exercise
    A1.1 · Unigram bits”."""
    n = np.bincount(train_ids, minlength=vocab_size) + 1
    return -np.log2(n / n.sum())[train_ids].mean()


def my_unigram_bits__only_unseen_characters_get_a_count_of_one(train_ids, val_ids, vocab_size):
    """Only the characters that were never seen got a count of one; all of them get one more. See
    “Build: what a good number is”."""
    n = np.maximum(np.bincount(train_ids, minlength=vocab_size), 1)
    return -np.log2(n / n.sum())[val_ids].mean()


def my_unigram_bits__counts_the_validation_text_as_well(train_ids, val_ids, vocab_size):
    """The validation part was counted as well: that is to peek. See “Exercise A1.1 · Unigram
    bits”."""
    n = np.bincount(np.concatenate([train_ids, val_ids]), minlength=vocab_size)
    return -np.log2(n / n.sum())[val_ids].mean()


def my_has_form__mark_counts_as_a_character_and_nothing_else(poem):
    """Only the lengths of the lines were looked at; how many there are, and their marks, belongs
    to the form as well. See “Exercise A1.2 · Has it the form?”."""
    return all(len(line) in (6, 8) for line in poem.split("\n"))


def my_has_form__five_and_seven_may_mix(poem):
    """Lines of five and of seven were allowed in one poem; all four must be alike. See “Exercise
    A1.2 · Has it the form?”."""
    lines = poem.split("\n")
    marks = [line[-1:] for line in lines] == ["，", "。", "，", "。"]
    return marks and all(len(line) in (6, 8) for line in lines)


def my_has_form__lines_need_only_be_alike(poem):
    """All lines are equally long, but six is neither five nor seven. See “Exercise A1.2 · Has it
    the form?”."""
    lines = poem.split("\n")
    marks = [line[-1:] for line in lines] == ["，", "。", "，", "。"]
    return marks and len({len(line) for line in lines}) == 1


def my_has_form__mark_within_a_line_counts_as_a_character(poem):
    """A mark inside of a line was counted as one of its characters; none may stand there. See
    “Exercise A1.2 · Has it the form?”."""
    lines = poem.split("\n")
    marks = [line[-1:] for line in lines] == ["，", "。", "，", "。"]
    return marks and {len(line) for line in lines} in ({6}, {8})


def my_has_form__marks_are_not_looked_at(poem):
    """The marks were taken off and never looked at; which one stands where belongs to the form.
    See “Exercise A1.2 · Has it the form?”."""
    lines = [line.rstrip("，。") for line in poem.split("\n")]
    return len(lines) == 4 and {len(line) for line in lines} in ({5}, {7})


def my_has_form__a_fifth_piece_goes_unnoticed(poem):
    """The text was cut at its marks, and what is left over or at the end went unnoticed. See
    “Exercise A1.2 · Has it the form?”."""
    pieces = poem.replace("\n", "").replace("。", "，").split("，")[:4]
    return len(pieces) == 4 and {len(piece) for piece in pieces} in ({5}, {7})


def my_next_kind__poem_never_ends(written, n):
    """After the mark of line 4 the poem goes on for ever. See “Exercise A1.3 · Poems that cannot
    go wrong”."""
    line = written.split("\n")[-1]
    if len(line) < n:
        return "character"
    if len(line) == n:
        return "，" if written.count("\n") % 2 == 0 else "。"
    return "\n"


def my_next_kind__same_mark_after_every_line(written, n):
    """Every line got the same mark; lines 2 and 4 end with a full stop. See “Exercise A1.3 ·
    Poems that cannot go wrong”."""
    lines = written.split("\n")
    if len(lines[-1]) < n:
        return "character"
    if len(lines[-1]) == n:
        return "，"
    return "\n" if len(lines) < 4 else "end"


def my_next_kind__counts_lines_from_one_where_they_count_from_zero(written, n):
    """The marks are the wrong way round: the first line was counted as number 0 or as number 2.
    See “Exercise A1.3 · Poems that cannot go wrong”."""
    lines = written.split("\n")
    if len(lines[-1]) < n:
        return "character"
    if len(lines[-1]) == n:
        return "，" if len(lines) % 2 == 0 else "。"
    return "\n" if len(lines) < 4 else "end"


def my_next_kind__lines_of_five_only(written, n):
    """The lines have five characters here, whatever n says. See “Exercise A1.3 · Poems that
    cannot go wrong”."""
    lines = written.split("\n")
    if len(lines[-1]) < 5:
        return "character"
    if len(lines[-1]) == 5:
        return "，" if len(lines) % 2 == 1 else "。"
    return "\n" if len(lines) < 4 else "end"


def my_next_kind__line_break_is_forgotten_in_the_length_of_a_line(written, n):
    """A line was measured without its line break, so that all later ones begin too soon. See
    “Exercise A1.3 · Poems that cannot go wrong”."""
    place = len(written) % (n + 1)
    if place < n:
        return "character"
    return "，" if len(written) // (n + 1) % 2 == 0 else "。"


def my_next_kind__comma_ends_a_line_a_full_stop_the_poem(written, n):
    """The first full stop ended the poem; it stands after line 2 as well. See “Exercise A1.3 ·
    Poems that cannot go wrong”."""
    lines = written.split("\n")
    if len(lines[-1]) < n:
        return "character"
    if len(lines[-1]) == n:
        return "，" if len(lines) % 2 == 1 else "。"
    return "\n" if written.endswith("，") else "end"


def my_shown__looks_at_single_characters_only(text, stops):
    """Only single characters were compared; a stop string may have several. See “Where to stop”."""
    shown = []
    for character in text:
        if character in stops:
            return [*shown, ""]
        shown.append(character)
    return [*shown, ""]


def my_shown__holds_nothing_back_and_cuts_when_it_is_too_late(text, stops):
    """Nothing was held back: when the stop string is complete its beginning has been shown, and
    cannot be taken back. See “Where to stop”."""
    shown = []
    for i, character in enumerate(text):
        if any(text[: i + 1].endswith(stop) for stop in stops):
            return [*shown, ""]
        shown.append(character)
    return [*shown, ""]


def my_shown__at_a_mismatch_everything_goes_also_what_begins(text, stops):
    """When what is held is no beginning any more, all of it was shown; but its end may be the
    beginning of a stop string itself. See “Exercise A1.4 · Hold back”."""
    shown, held = [], ""
    for character in text:
        held += character
        ended = [len(stop) for stop in stops if held.endswith(stop)]
        if ended:
            return [*shown, held[: len(held) - max(ended)]]
        begins = any(stop.startswith(held) for stop in stops)
        shown.append("" if begins else held)
        held = held if begins else ""
    return [*shown, held]


def my_shown__at_a_mismatch_one_character_goes_however_many(text, stops):
    """One character was shown when several had become free: show everything as early as
    possible. See “Exercise A1.4 · Hold back”."""
    shown, held = [], ""
    for character in text:
        held += character
        ended = [len(stop) for stop in stops if held.endswith(stop)]
        if ended:
            return [*shown, held[: len(held) - max(ended)]]
        n = 0 if any(stop.startswith(held) for stop in stops) else 1
        shown.append(held[:n])
        held = held[n:]
    return [*shown, held]


def my_shown__what_is_held_at_the_end_of_the_text_is_forgotten(text, stops):
    """What was still held back when the text ended was never shown. See “Exercise A1.4 · Hold
    back”."""
    shown, held = [], ""
    for character in text:
        held += character
        ended = [len(stop) for stop in stops if held.endswith(stop)]
        if ended:
            return [*shown, held[: len(held) - max(ended)]]
        n = 0
        while n < len(held) and not any(stop.startswith(held[n:]) for stop in stops):
            n += 1
        shown.append(held[:n])
        held = held[n:]
    return [*shown, ""]


def my_shown__stop_string_is_shown_too(text, stops):
    """The stop string itself was shown. See “Where to stop”."""
    shown, held = [], ""
    for character in text:
        held += character
        if any(held.endswith(stop) for stop in stops):
            return [*shown, held]
        n = 0
        while n < len(held) and not any(stop.startswith(held[n:]) for stop in stops):
            n += 1
        shown.append(held[:n])
        held = held[n:]
    return [*shown, held]


def my_shown__first_in_the_list_that_ends_here_not_the_longest(text, stops):
    """The first stop string in the list that ends here was taken off; the longest counts. See
    “Exercise A1.4 · Hold back”."""
    shown, held = [], ""
    for character in text:
        held += character
        for stop in stops:
            if held.endswith(stop):
                return [*shown, held[: -len(stop)]]
        n = 0
        while n < len(held) and not any(stop.startswith(held[n:]) for stop in stops):
            n += 1
        shown.append(held[:n])
        held = held[n:]
    return [*shown, held]


def my_shown__holds_back_as_many_characters_as_the_longest_stop(text, stops):
    """As many characters were held back as the longest stop string has, whether they begin one
    or not: that is later than needed. See “Exercise A1.4 · Hold back”."""
    longest = max(map(len, stops), default=1) - 1
    shown, held = [], ""
    for character in text:
        held += character
        ended = [len(stop) for stop in stops if held.endswith(stop)]
        if ended:
            return [*shown, held[: len(held) - max(ended)]]
        n = max(0, len(held) - longest)
        shown.append(held[:n])
        held = held[n:]
    return [*shown, held]


def my_admission__whoever_goes_lets_the_next_one_in(happenings, max_running, max_waiting):
    """Whoever goes let the next one in; one that goes from the queue frees no place to run. See
    “Exercise A1.5 · Run, wait, or refuse”."""
    running, waiting, states = [], [], []
    for sign, client in happenings:
        if sign == "+":
            if len(running) < max_running:
                running.append(client)
            elif len(waiting) < max_waiting:
                waiting.append(client)
            else:
                states.append("refused")
                continue
        elif client in running or client in waiting:
            (running if client in running else waiting).remove(client)
            if waiting:
                running.append(waiting.pop(0))
        states.append("".join(running) + "|" + "".join(waiting))
    return states


def my_admission__last_to_come_is_the_first_to_run(happenings, max_running, max_waiting):
    """The last to come was the first to run; the one that has waited longest is next. See “Who
    is next”."""
    running, waiting, states = [], [], []
    for sign, client in happenings:
        if sign == "+" and len(running) + len(waiting) == max_running + max_waiting:
            states.append("refused")
            continue
        if sign == "+":
            waiting.append(client)
        elif client in running + waiting:
            (running if client in running else waiting).remove(client)
        while waiting and len(running) < max_running:
            running.append(waiting.pop())
        states.append("".join(running) + "|" + "".join(waiting))
    return states


def my_admission__nobody_moves_up(happenings, max_running, max_waiting):
    """A place became free, and nobody from the queue moved up. See “Exercise A1.5 · Run, wait,
    or refuse”."""
    running, waiting, states = [], [], []
    for sign, client in happenings:
        if sign == "-":
            running = [name for name in running if name != client]
            waiting = [name for name in waiting if name != client]
        elif len(running) < max_running:
            running.append(client)
        elif len(waiting) < max_waiting:
            waiting.append(client)
        else:
            states.append("refused")
            continue
        states.append("".join(running) + "|" + "".join(waiting))
    return states


def my_admission__everybody_must_find_room_in_the_queue(happenings, max_running, max_waiting):
    """Everybody had to find room in the queue first, even when there was a place to run. See
    “Exercise A1.5 · Run, wait, or refuse”."""
    running, waiting, states = [], [], []
    for sign, client in happenings:
        if sign == "+" and len(waiting) >= max_waiting:
            states.append("refused")
            continue
        if sign == "+":
            waiting.append(client)
        elif client in running + waiting:
            (running if client in running else waiting).remove(client)
        while waiting and len(running) < max_running:
            running.append(waiting.pop(0))
        states.append("".join(running) + "|" + "".join(waiting))
    return states


def my_admission__one_too_many_in_the_queue(happenings, max_running, max_waiting):
    """One client more than allowed was let in. See “Exercise A1.5 · Run, wait, or refuse”."""
    running, waiting, states = [], [], []
    for sign, client in happenings:
        if sign == "+" and len(running) + len(waiting) > max_running + max_waiting:
            states.append("refused")
            continue
        if sign == "+":
            waiting.append(client)
        elif client in running + waiting:
            (running if client in running else waiting).remove(client)
        while waiting and len(running) < max_running:
            running.append(waiting.pop(0))
        states.append("".join(running) + "|" + "".join(waiting))
    return states


def my_admission__who_goes_always_frees_a_place_to_run(happenings, max_running, max_waiting):
    """Each one that goes was counted as one that ran; it may have waited, or been refused. See
    “Exercise A1.5 · Run, wait, or refuse”."""
    n_running, waiting, states, running = 0, [], [], []
    for sign, client in happenings:
        if sign == "+" and len(running) + len(waiting) == max_running + max_waiting:
            states.append("refused")
            continue
        if sign == "+":
            waiting.append(client)
        else:
            n_running -= 1
            running = [name for name in running if name != client]
            waiting = [name for name in waiting if name != client]
        while waiting and n_running < max_running:
            n_running += 1
            running.append(waiting.pop(0))
        states.append("".join(running) + "|" + "".join(waiting))
    return states


def my_event_data__every_chunk_is_an_event(chunks):
    """Every chunk was taken for an event; the network cuts where it likes. See “Exercise A1.6 ·
    The other end”."""
    return [chunk.decode("utf-8").removeprefix("data: ").removesuffix("\n\n") for chunk in chunks]


def my_event_data__decodes_each_chunk_and_silences_the_error(chunks):
    """Each chunk was decoded for itself, and half a character at its end was dropped in silence:
    join the bytes first. See “Exercise A1.6 · The other end”."""
    text = "".join(chunk.decode("utf-8", errors="ignore") for chunk in chunks)
    data = []
    for event in text.split("\n\n")[:-1]:
        lines = [line[5:] for line in event.split("\n") if line.startswith("data:")]
        if lines:
            data.append("\n".join(line.removeprefix(" ") for line in lines))
    return data


def my_event_data__what_has_not_ended_counts_as_well(chunks):
    """What comes after the last empty line was taken for an event; it is not complete yet. See
    “Exercise A1.6 · The other end”."""
    data = []
    for event in b"".join(chunks).decode("utf-8").split("\n\n"):
        lines = [line[5:] for line in event.split("\n") if line.startswith("data:")]
        if lines:
            data.append("\n".join(line.removeprefix(" ") for line in lines))
    return data


def my_event_data__strips_spaces_that_are_data(chunks):
    """All spaces were stripped; one space after the colon does not count, the others are data.
    See “Exercise A1.6 · The other end”."""
    data = []
    for event in b"".join(chunks).decode("utf-8").split("\n\n")[:-1]:
        lines = [line[5:] for line in event.split("\n") if line.startswith("data:")]
        if lines:
            data.append("\n".join(line.strip() for line in lines))
    return data


def my_event_data__splits_at_data(chunks):
    """The text was cut wherever data: stands; only at the beginning of a line does it mean
    something. See “Exercise A1.6 · The other end”."""
    text = b"".join(chunks).decode("utf-8")
    return [part.split("\n\n")[0] for part in text.split("data: ")[1:] if "\n\n" in part]


def my_event_data__every_line_is_an_event(chunks):
    """Every line became an event of its own; lines of one event are joined. See “Exercise A1.6 ·
    The other end”."""
    lines = b"".join(chunks).decode("utf-8").split("\n\n")[:-1]
    lines = [line for event in lines for line in event.split("\n") if line.startswith("data:")]
    return [line[5:].removeprefix(" ") for line in lines]


def my_event_data__space_after_the_colon_is_taken_for_granted(chunks):
    """The space after the colon was taken for granted; it may be missing. See “Exercise A1.6 ·
    The other end”."""
    data = []
    for event in b"".join(chunks).decode("utf-8").split("\n\n")[:-1]:
        lines = [line[6:] for line in event.split("\n") if line.startswith("data: ")]
        if lines:
            data.append("\n".join(lines))
    return data


def my_event_data__event_without_data_counts_as_an_empty_one(chunks):
    """An event without any data line was taken for an empty text; it is none. See “Exercise A1.6
    · The other end”."""
    data = []
    for event in b"".join(chunks).decode("utf-8").split("\n\n")[:-1]:
        lines = [line[5:] for line in event.split("\n") if line.startswith("data:")]
        data.append("\n".join(line.removeprefix(" ") for line in lines))
    return data


def my_nearest_mean__place_of_the_mean_not_its_label(features, labels, queries):
    """The place of the nearest mean was returned; asked for is its label. See “Exercise A1.7 ·
    The nearest mean”."""
    names = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in names])
    return ((queries[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)


def my_nearest_mean__sums_instead_of_means(features, labels, queries):
    """The features of a class were added up and not divided by how many they are. See “Exercise
    A1.7 · The nearest mean”."""
    names = np.unique(labels)
    sums = np.stack([features[labels == name].sum(axis=0) for name in names])
    return names[((queries[:, None] - sums) ** 2).sum(axis=-1).argmin(axis=1)]


def my_nearest_mean__nearest_single_picture(features, labels, queries):
    """The nearest single picture decided; it is the mean of a class that counts. See “The
    smallest example”."""
    distances = ((queries[:, None] - features) ** 2).sum(axis=-1)
    return labels[distances.argmin(axis=1)]


def my_nearest_mean__largest_product_as_in_attention(features, labels, queries):
    """The largest product decided, as in attention; a long mean wins there without being near.
    See “The smallest example”."""
    names = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in names])
    return names[(queries @ means.T).argmax(axis=1)]


def my_nearest_mean__farthest_mean(features, labels, queries):
    """The farthest mean was chosen. See “Exercise A1.7 · The nearest mean”."""
    names = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in names])
    return names[((queries[:, None] - means) ** 2).sum(axis=-1).argmax(axis=1)]


def my_nearest_mean__differences_that_cancel_each_other(features, labels, queries):
    """The differences were added up with their signs, so that they cancel each other; square
    them first. See “The smallest example”."""
    names = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in names])
    return names[np.abs((queries[:, None] - means).sum(axis=-1)).argmin(axis=1)]


def my_nearest_mean__first_query_only(features, labels, queries):
    """Only the first query got an answer. See “Exercise A1.7 · The nearest mean”."""
    names = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in names])
    return names[((queries[0] - means) ** 2).sum(axis=-1).argmin()]


def my_probe_gradient__sum_over_the_pictures_not_the_mean(features, labels, weight, bias):
    """The gradients of the pictures were added up; the loss is their mean. See “Exercise A1.8 ·
    The only gradient of a probe”."""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p.T @ features, p.sum(axis=0)


def my_probe_gradient__bias_is_forgotten(features, labels, weight, bias):
    """The bias is missing in the logits. See “Exercise A1.8 · The only gradient of a probe”."""
    logits = features @ weight.T
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p.T @ features / len(labels), p.sum(axis=0) / len(labels)


def my_probe_gradient__labels_less_probabilities(features, labels, weight, bias):
    """The sign is turned round: it is the probabilities less 1 at the label, and the other way
    leads uphill. See “Exercise A1.8 · The only gradient of a probe”."""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    g = (np.eye(len(bias))[labels] - p) / len(labels)
    return g.T @ features, g.sum(axis=0)


def my_probe_gradient__exp_of_the_plain_logits(features, labels, weight, bias):
    """The largest logit of a picture was not subtracted first, and exp(1000) is infinite. See
    “softmax” in chapter 02."""
    p = np.exp(features @ weight.T + bias)
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p.T @ features / len(labels), p.sum(axis=0) / len(labels)


def my_probe_gradient__layout_is_transposed(features, labels, weight, bias):
    """The gradient has the shape (d, K); the weight is (K, d). See “Exercise A1.8 · The only
    gradient of a probe”."""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    g = (p - np.eye(len(bias))[labels]) / len(labels)
    return features.T @ g, g.sum(axis=0)


def my_probe_gradient__bias_is_averaged_twice(features, labels, weight, bias):
    """The gradient by the bias was divided by the number of pictures twice. See “Exercise A1.8 ·
    The only gradient of a probe”."""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    g = (p - np.eye(len(bias))[labels]) / len(labels)
    return g.T @ features, g.mean(axis=0)


def my_probe_gradient__softmax_over_the_pictures(features, labels, weight, bias):
    """The softmax was taken over the pictures; each picture has probabilities of its own, over
    the classes. See “Exercise A1.8 · The only gradient of a probe”."""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=0))
    p /= p.sum(axis=0)
    g = (p - np.eye(len(bias))[labels]) / len(labels)
    return g.T @ features, g.sum(axis=0)


def my_unigram_bits__vocabulary_from_the_texts(train_ids, val_ids, vocab_size):
    """The size of the vocabulary was taken from the ids that occur; there may be characters that
    neither part has. See “Exercise A1.1 · Unigram bits”."""
    size = 1 + max(train_ids.max(), val_ids.max())
    n = np.bincount(train_ids, minlength=size) + 1
    return -np.log2(n / n.sum())[val_ids].mean()


def my_unigram_bits__perplexity(train_ids, val_ids, vocab_size):
    """The perplexity was returned, 2 to the power of the bits. See “Exercise A1.1 · Unigram
    bits”."""
    n = np.bincount(train_ids, minlength=vocab_size) + 1
    return 2 ** -np.log2(n / n.sum())[val_ids].mean()


def my_unigram_bits__logarithm_of_the_mean(train_ids, val_ids, vocab_size):
    """The probabilities were averaged, and then the logarithm taken; the mean is over the bits
    of the characters. See “Build: what a good number is”."""
    n = np.bincount(train_ids, minlength=vocab_size) + 1
    return -np.log2((n / n.sum())[val_ids].mean())


def my_has_form__comma_alone_must_not_stand_inside(poem):
    """Inside of the lines only one of the two marks was looked for. See “Exercise A1.2 · Has it
    the form?”."""
    lines = poem.split("\n")
    marks = [line[-1:] for line in lines] == ["，", "。", "，", "。"]
    inside = any("，" in line[:-1] for line in lines)
    return marks and not inside and {len(line) for line in lines} in ({6}, {8})


def my_has_form__marks_need_only_alternate(poem):
    """The marks were allowed to begin with the wrong one; a comma ends lines 1 and 3. See
    “Exercise A1.2 · Has it the form?”."""
    lines = poem.split("\n")
    if len(lines) != 4 or {len(line) for line in lines} not in ({6}, {8}):
        return False
    marks = [line[-1] for line in lines]
    clean = not any(mark in line[:-1] for line in lines for mark in "，。")
    return clean and set(marks) == {"，", "。"} and marks[:2] == marks[2:]


def my_has_form__first_and_third_line_alone_are_measured(poem):
    """Only lines 1 and 3 were compared; 2 and 4 may be longer than they. See “Exercise A1.2 ·
    Has it the form?”."""
    lines = poem.split("\n")
    if [line[-1:] for line in lines] != ["，", "。", "，", "。"]:
        return False
    clean = not any(mark in line[:-1] for line in lines for mark in "，。")
    return clean and len(lines[0]) == len(lines[2]) and all(len(line) in (6, 8) for line in lines)


def my_has_form__couplets_as_many_as_there_are(poem):
    """Any number of couplets was allowed; the form has four lines. See “Exercise A1.2 · Has it
    the form?”."""
    lines = poem.split("\n")
    marks = [line[-1:] for line in lines] == ["，", "。"] * (len(lines) // 2)
    clean = not any(mark in line[:-1] for line in lines for mark in "，。")
    return marks and clean and len(lines) >= 4 and {len(line) for line in lines} in ({6}, {8})


def my_next_kind__ends_where_the_last_line_is_full(written, n):
    """The poem ended before its last mark. See “Exercise A1.3 · Poems that cannot go wrong”."""
    lines = written.split("\n")
    if len(lines[-1]) < n:
        return "character"
    if len(lines[-1]) == n:
        return ("，", "。", "，", "end")[len(lines) - 1]
    return "\n"


def my_next_kind__full_stop_at_the_end_alone(written, n):
    """Line 2 got a comma; it ends with a full stop, like line 4. See “Exercise A1.3 · Poems that
    cannot go wrong”."""
    lines = written.split("\n")
    if len(lines[-1]) < n:
        return "character"
    if len(lines[-1]) == n:
        return "。" if len(lines) == 4 else "，"
    return "\n" if len(lines) < 4 else "end"


def my_next_kind__sentence_in_place_of_a_word(written, n):
    """Another word was returned than the five that are allowed. See “Exercise A1.3 · Poems that
    cannot go wrong”."""
    lines = written.split("\n")
    if len(lines[-1]) < n:
        return "a character"
    if len(lines[-1]) == n:
        return "，" if len(lines) % 2 == 1 else "。"
    return "\n" if len(lines) < 4 else "end"


def my_shown__first_stop_string_alone(text, stops):
    """Only the first stop string was looked at; there may be several. See “Exercise A1.4 · Hold
    back”."""
    shown, held = [], ""
    for character in text:
        held += character
        if stops and held.endswith(stops[0]):
            return [*shown, held[: -len(stops[0])]]
        n = 0
        while n < len(held) and not (stops and stops[0].startswith(held[n:])):
            n += 1
        shown.append(held[:n])
        held = held[n:]
    return [*shown, held]


def my_shown__nothing_at_the_end_of_the_text(text, stops):
    """Where nothing is held at the end the last entry was left out; it belongs there, as an
    empty text. See “Exercise A1.4 · Hold back”."""
    shown, held = [], ""
    for character in text:
        held += character
        ended = [len(stop) for stop in stops if held.endswith(stop)]
        if ended:
            return [*shown, held[: len(held) - max(ended)]]
        n = 0
        while n < len(held) and not any(stop.startswith(held[n:]) for stop in stops):
            n += 1
        shown.append(held[:n])
        held = held[n:]
    return [*shown, held] if held else shown


def my_shown__waits_for_a_longer_stop_string(text, stops):
    """A stop string was complete, and a longer one that begins like it was waited for; the text
    ends with the first that is complete. See “Exercise A1.4 · Hold back”."""
    shown, held = [], ""
    for character in text:
        held += character
        longer = any(stop.startswith(held) and stop != held for stop in stops)
        ended = [len(stop) for stop in stops if held.endswith(stop)]
        if ended and not longer:
            return [*shown, held[: len(held) - max(ended)]]
        n = 0
        while n < len(held) and not any(stop.startswith(held[n:]) for stop in stops):
            n += 1
        shown.append(held[:n])
        held = held[n:]
    return [*shown, held]


def my_admission__names_in_alphabetical_order(happenings, max_running, max_waiting):
    """The names stand in alphabetical order; asked for is the order in which they came there.
    See “Exercise A1.5 · Run, wait, or refuse”."""
    running, waiting, states = set(), [], []
    for sign, client in happenings:
        if sign == "+" and len(running) + len(waiting) == max_running + max_waiting:
            states.append("refused")
            continue
        if sign == "+":
            waiting.append(client)
        elif client in running:
            running.remove(client)
        elif client in waiting:
            waiting.remove(client)
        while waiting and len(running) < max_running:
            running.add(waiting.pop(0))
        states.append("".join(sorted(running)) + "|" + "".join(waiting))
    return states


def my_admission__refused_go_silently(happenings, max_running, max_waiting):
    """A client that was refused left no word; the state after it is `refused`. See “Exercise
    A1.5 · Run, wait, or refuse”."""
    running, waiting, states = [], [], []
    for sign, client in happenings:
        if sign == "+" and len(running) + len(waiting) < max_running + max_waiting:
            waiting.append(client)
        elif client in running:
            running.remove(client)
        elif client in waiting:
            waiting.remove(client)
        while waiting and len(running) < max_running:
            running.append(waiting.pop(0))
        states.append("".join(running) + "|" + "".join(waiting))
    return states


def my_admission__desk_is_kept_open_between_calls(
    happenings,
    max_running,
    max_waiting,
    running=[],  # noqa: B006
    waiting=[],  # noqa: B006
):
    """The lists are default arguments, which are made once: clients of earlier calls are still
    in them. See “Exercise A1.5 · Run, wait, or refuse”."""
    states = []
    for sign, client in happenings:
        if sign == "+" and len(running) + len(waiting) == max_running + max_waiting:
            states.append("refused")
            continue
        if sign == "+":
            waiting.append(client)
        elif client in running + waiting:
            (running if client in running else waiting).remove(client)
        while waiting and len(running) < max_running:
            running.append(waiting.pop(0))
        states.append("".join(running) + "|" + "".join(waiting))
    return states


def my_event_data__other_characters_break_lines_too(chunks):
    """Lines were cut by splitlines, which knows a dozen other line breaks as well; here only \\n
    ends a line. See “Exercise A1.6 · The other end”."""
    *events, _ = b"".join(chunks).decode("utf-8").split("\n\n")
    data = []
    for event in events:
        lines = [line[5:] for line in event.splitlines() if line.startswith("data:")]
        if lines:
            data.append("\n".join(line.removeprefix(" ") for line in lines))
    return data


def my_event_data__empty_data_is_none(chunks):
    """An event with empty data was left out; it has a data line, and that is what counts. See
    “Exercise A1.6 · The other end”."""
    *events, _ = b"".join(chunks).decode("utf-8").split("\n\n")
    data = []
    for event in events:
        lines = [line[5:] for line in event.split("\n") if line.startswith("data:")]
        text = "\n".join(line.removeprefix(" ") for line in lines)
        if text:
            data.append(text)
    return data


def my_event_data__every_name_that_begins_with_data(chunks):
    """Other lines whose name begins with the same letters were taken for data; the colon belongs
    to it. See “Exercise A1.6 · The other end”."""
    *events, _ = b"".join(chunks).decode("utf-8").split("\n\n")
    data = []
    for event in events:
        lines = [line for line in event.split("\n") if line.startswith("data")]
        if lines:
            data.append("\n".join(line.split(":", 1)[1].removeprefix(" ") for line in lines))
    return data


def my_nearest_mean__means_in_the_type_of_the_features(features, labels, queries):
    """The means were put into an array of the features' type; of whole numbers that cuts off
    what is behind the point. See “Exercise A1.7 · The nearest mean”."""
    names = np.unique(labels)
    means = np.zeros((len(names), features.shape[1]), features.dtype)
    for i, name in enumerate(names):
        means[i] = features[labels == name].mean(axis=0)
    return names[((queries[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)]


def my_nearest_mean__labels_as_floats(features, labels, queries):
    """The labels came back as floats; they are whole numbers. See “Exercise A1.7 · The nearest
    mean”."""
    names = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in names])
    nearest = np.zeros(len(queries))
    for i, query in enumerate(queries):
        nearest[i] = names[((query - means) ** 2).sum(axis=-1).argmin()]
    return nearest


def my_nearest_mean__labels_are_numbered_from_zero(features, labels, queries):
    """The labels were taken for 0, 1, 2 and so on; they may be any whole numbers. See “Exercise
    A1.7 · The nearest mean”."""
    distances = np.full((len(queries), labels.max() + 1), np.inf)
    for name in range(labels.max() + 1):
        if (labels == name).any():
            mean = features[labels == name].mean(axis=0)
            distances[:, name] = ((queries - mean) ** 2).sum(axis=1)
    return distances.argmin(axis=1)


def my_probe_gradient__one_largest_logit_for_all_pictures(features, labels, weight, bias):
    """One largest logit was subtracted from all pictures; for one far below it every exponential
    is 0. See “softmax” in chapter 02."""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max())
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p.T @ features / len(labels), p.sum(axis=0) / len(labels)


def my_probe_gradient__infinity_is_repaired_afterwards(features, labels, weight, bias):
    """The exponentials became infinite, and what came of it was replaced afterwards by a guess.
    See “softmax” in chapter 02."""
    with np.errstate(all="ignore"):
        p = np.exp(features @ weight.T + bias)
        p = np.nan_to_num(p / p.sum(axis=1, keepdims=True), nan=1.0)
    p[np.arange(len(labels)), labels] -= 1
    return p.T @ features / len(labels), p.sum(axis=0) / len(labels)


def my_probe_gradient__weight_takes_a_step(features, labels, weight, bias):
    """The weight and the bias were changed; asked for are the gradients, and the step is the
    optimizer's. See “Exercise A1.8 · The only gradient of a probe”."""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    gradients = p.T @ features / len(labels), p.sum(axis=0) / len(labels)
    weight -= 0.1 * gradients[0]
    bias -= 0.1 * gradients[1]
    return gradients
