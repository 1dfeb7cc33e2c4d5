"""Plausible wrong attempts at the exercises of the appendix."""

import numpy as np


def my_unigram_bits__no_smoothing(train_ids, val_ids, vocab_size):
    """no smoothing"""
    n = np.bincount(train_ids, minlength=vocab_size)
    with np.errstate(divide="ignore"):
        return -np.log2(n / n.sum())[val_ids].mean()


def my_unigram_bits__nats_for_bits(train_ids, val_ids, vocab_size):
    """nats for bits"""
    n = np.bincount(train_ids, minlength=vocab_size) + 1
    return -np.log(n / n.sum())[val_ids].mean()


def my_unigram_bits__denominator_without_the_added_ones(train_ids, val_ids, vocab_size):
    """the denominator without the added ones"""
    n = np.bincount(train_ids, minlength=vocab_size)
    return -np.log2((n + 1) / n.sum())[val_ids].mean()


def my_unigram_bits__sum_for_a_mean(train_ids, val_ids, vocab_size):
    """a sum for a mean"""
    n = np.bincount(train_ids, minlength=vocab_size) + 1
    return -np.log2(n / n.sum())[val_ids].sum()


def my_unigram_bits__entropy_of_the_training_text(train_ids, val_ids, vocab_size):
    """the entropy of the training text"""
    p = (np.bincount(train_ids, minlength=vocab_size) + 1) / (len(train_ids) + vocab_size)
    return -(p * np.log2(p)).sum()


def my_unigram_bits__judged_on_the_training_text(train_ids, val_ids, vocab_size):
    """judged on the training text"""
    n = np.bincount(train_ids, minlength=vocab_size) + 1
    return -np.log2(n / n.sum())[train_ids].mean()


def my_unigram_bits__only_unseen_characters_get_a_count_of_one(train_ids, val_ids, vocab_size):
    """only unseen characters get a count of one"""
    n = np.maximum(np.bincount(train_ids, minlength=vocab_size), 1)
    return -np.log2(n / n.sum())[val_ids].mean()


def my_unigram_bits__counts_the_validation_text_as_well(train_ids, val_ids, vocab_size):
    """counts the validation text as well"""
    n = np.bincount(np.concatenate([train_ids, val_ids]), minlength=vocab_size)
    return -np.log2(n / n.sum())[val_ids].mean()


def my_has_form__mark_counts_as_a_character_and_nothing_else(poem):
    """the mark counts as a character, and nothing else is looked at"""
    return all(len(line) in (6, 8) for line in poem.split("\n"))


def my_has_form__five_and_seven_may_mix(poem):
    """five and seven may mix"""
    lines = poem.split("\n")
    marks = [line[-1:] for line in lines] == ["，", "。", "，", "。"]
    return marks and all(len(line) in (6, 8) for line in lines)


def my_has_form__lines_need_only_be_alike(poem):
    """the lines need only be alike"""
    lines = poem.split("\n")
    marks = [line[-1:] for line in lines] == ["，", "。", "，", "。"]
    return marks and len({len(line) for line in lines}) == 1


def my_has_form__mark_within_a_line_counts_as_a_character(poem):
    """a mark within a line counts as a character"""
    lines = poem.split("\n")
    marks = [line[-1:] for line in lines] == ["，", "。", "，", "。"]
    return marks and {len(line) for line in lines} in ({6}, {8})


def my_has_form__marks_are_not_looked_at(poem):
    """the marks are not looked at"""
    lines = [line.rstrip("，。") for line in poem.split("\n")]
    return len(lines) == 4 and {len(line) for line in lines} in ({5}, {7})


def my_has_form__a_fifth_piece_goes_unnoticed(poem):
    """split at the marks: a fifth piece, or a fifth line, goes unnoticed"""
    pieces = poem.replace("\n", "").replace("。", "，").split("，")[:4]
    return len(pieces) == 4 and {len(piece) for piece in pieces} in ({5}, {7})


def my_next_kind__poem_never_ends(written, n):
    """the poem never ends"""
    line = written.split("\n")[-1]
    if len(line) < n:
        return "character"
    if len(line) == n:
        return "，" if written.count("\n") % 2 == 0 else "。"
    return "\n"


def my_next_kind__same_mark_after_every_line(written, n):
    """the same mark after every line"""
    lines = written.split("\n")
    if len(lines[-1]) < n:
        return "character"
    if len(lines[-1]) == n:
        return "，"
    return "\n" if len(lines) < 4 else "end"


def my_next_kind__counts_lines_from_one_where_they_count_from_zero(written, n):
    """counts lines from one where they count from zero"""
    lines = written.split("\n")
    if len(lines[-1]) < n:
        return "character"
    if len(lines[-1]) == n:
        return "，" if len(lines) % 2 == 0 else "。"
    return "\n" if len(lines) < 4 else "end"


def my_next_kind__lines_of_five_only(written, n):
    """lines of five only"""
    lines = written.split("\n")
    if len(lines[-1]) < 5:
        return "character"
    if len(lines[-1]) == 5:
        return "，" if len(lines) % 2 == 1 else "。"
    return "\n" if len(lines) < 4 else "end"


def my_next_kind__line_break_is_forgotten_in_the_length_of_a_line(written, n):
    """the line break is forgotten in the length of a line"""
    place = len(written) % (n + 1)
    if place < n:
        return "character"
    return "，" if len(written) // (n + 1) % 2 == 0 else "。"


def my_next_kind__comma_ends_a_line_a_full_stop_the_poem(written, n):
    """a comma ends a line, a full stop the poem"""
    lines = written.split("\n")
    if len(lines[-1]) < n:
        return "character"
    if len(lines[-1]) == n:
        return "，" if len(lines) % 2 == 1 else "。"
    return "\n" if written.endswith("，") else "end"


def my_shown__looks_at_single_characters_only(text, stops):
    """looks at single characters only"""
    shown = []
    for character in text:
        if character in stops:
            return [*shown, ""]
        shown.append(character)
    return [*shown, ""]


def my_shown__holds_nothing_back_and_cuts_when_it_is_too_late(text, stops):
    """holds nothing back, and cuts when it is too late"""
    shown = []
    for i, character in enumerate(text):
        if any(text[: i + 1].endswith(stop) for stop in stops):
            return [*shown, ""]
        shown.append(character)
    return [*shown, ""]


def my_shown__at_a_mismatch_everything_goes_also_what_begins(text, stops):
    """at a mismatch everything goes, also what begins a stop string"""
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
    """at a mismatch one character goes, however many are free"""
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
    """what is held at the end of the text is forgotten"""
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
    """the stop string is shown too"""
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
    """the first in the list that ends here, not the longest"""
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
    """holds back as many characters as the longest stop string, always"""
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
    """whoever goes lets the next one in"""
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
    """the last to come is the first to run"""
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
    """nobody moves up"""
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
    """everybody must find room in the queue"""
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
    """one too many in the queue"""
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
    """who goes always frees a place to run"""
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
    """every chunk is an event"""
    return [chunk.decode("utf-8").removeprefix("data: ").removesuffix("\n\n") for chunk in chunks]


def my_event_data__decodes_each_chunk_and_silences_the_error(chunks):
    """decodes each chunk, and silences the error"""
    text = "".join(chunk.decode("utf-8", errors="ignore") for chunk in chunks)
    data = []
    for event in text.split("\n\n")[:-1]:
        lines = [line[5:] for line in event.split("\n") if line.startswith("data:")]
        if lines:
            data.append("\n".join(line.removeprefix(" ") for line in lines))
    return data


def my_event_data__what_has_not_ended_counts_as_well(chunks):
    """what has not ended counts as well"""
    data = []
    for event in b"".join(chunks).decode("utf-8").split("\n\n"):
        lines = [line[5:] for line in event.split("\n") if line.startswith("data:")]
        if lines:
            data.append("\n".join(line.removeprefix(" ") for line in lines))
    return data


def my_event_data__strips_spaces_that_are_data(chunks):
    """strips spaces that are data"""
    data = []
    for event in b"".join(chunks).decode("utf-8").split("\n\n")[:-1]:
        lines = [line[5:] for line in event.split("\n") if line.startswith("data:")]
        if lines:
            data.append("\n".join(line.strip() for line in lines))
    return data


def my_event_data__splits_at_data(chunks):
    """splits at "data: " wherever it stands"""
    text = b"".join(chunks).decode("utf-8")
    return [part.split("\n\n")[0] for part in text.split("data: ")[1:] if "\n\n" in part]


def my_event_data__every_line_is_an_event(chunks):
    """every line is an event"""
    lines = b"".join(chunks).decode("utf-8").split("\n\n")[:-1]
    lines = [line for event in lines for line in event.split("\n") if line.startswith("data:")]
    return [line[5:].removeprefix(" ") for line in lines]


def my_event_data__space_after_the_colon_is_taken_for_granted(chunks):
    """the space after the colon is taken for granted"""
    data = []
    for event in b"".join(chunks).decode("utf-8").split("\n\n")[:-1]:
        lines = [line[6:] for line in event.split("\n") if line.startswith("data: ")]
        if lines:
            data.append("\n".join(lines))
    return data


def my_event_data__event_without_data_counts_as_an_empty_one(chunks):
    """an event without data counts as an empty one"""
    data = []
    for event in b"".join(chunks).decode("utf-8").split("\n\n")[:-1]:
        lines = [line[5:] for line in event.split("\n") if line.startswith("data:")]
        data.append("\n".join(line.removeprefix(" ") for line in lines))
    return data


def my_nearest_mean__place_of_the_mean_not_its_label(features, labels, queries):
    """the place of the mean, not its label"""
    names = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in names])
    return ((queries[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)


def my_nearest_mean__sums_instead_of_means(features, labels, queries):
    """sums instead of means"""
    names = np.unique(labels)
    sums = np.stack([features[labels == name].sum(axis=0) for name in names])
    return names[((queries[:, None] - sums) ** 2).sum(axis=-1).argmin(axis=1)]


def my_nearest_mean__nearest_single_picture(features, labels, queries):
    """the nearest single picture"""
    distances = ((queries[:, None] - features) ** 2).sum(axis=-1)
    return labels[distances.argmin(axis=1)]


def my_nearest_mean__largest_product_as_in_attention(features, labels, queries):
    """the largest product, as in attention"""
    names = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in names])
    return names[(queries @ means.T).argmax(axis=1)]


def my_nearest_mean__farthest_mean(features, labels, queries):
    """the farthest mean"""
    names = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in names])
    return names[((queries[:, None] - means) ** 2).sum(axis=-1).argmax(axis=1)]


def my_nearest_mean__differences_that_cancel_each_other(features, labels, queries):
    """differences that cancel each other"""
    names = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in names])
    return names[np.abs((queries[:, None] - means).sum(axis=-1)).argmin(axis=1)]


def my_nearest_mean__first_query_only(features, labels, queries):
    """the first query only"""
    names = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in names])
    return names[((queries[0] - means) ** 2).sum(axis=-1).argmin()]


def my_probe_gradient__sum_over_the_pictures_not_the_mean(features, labels, weight, bias):
    """the sum over the pictures, not the mean"""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p.T @ features, p.sum(axis=0)


def my_probe_gradient__bias_is_forgotten(features, labels, weight, bias):
    """the bias is forgotten"""
    logits = features @ weight.T
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p.T @ features / len(labels), p.sum(axis=0) / len(labels)


def my_probe_gradient__labels_less_probabilities(features, labels, weight, bias):
    """labels less probabilities: uphill"""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    g = (np.eye(len(bias))[labels] - p) / len(labels)
    return g.T @ features, g.sum(axis=0)


def my_probe_gradient__exp_of_the_plain_logits(features, labels, weight, bias):
    """exp of the plain logits"""
    p = np.exp(features @ weight.T + bias)
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p.T @ features / len(labels), p.sum(axis=0) / len(labels)


def my_probe_gradient__layout_is_transposed(features, labels, weight, bias):
    """the layout of x @ w: (d, K)"""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    g = (p - np.eye(len(bias))[labels]) / len(labels)
    return features.T @ g, g.sum(axis=0)


def my_probe_gradient__bias_is_averaged_twice(features, labels, weight, bias):
    """the bias as if N were 1 step: a mean too much"""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    g = (p - np.eye(len(bias))[labels]) / len(labels)
    return g.T @ features, g.mean(axis=0)


def my_probe_gradient__softmax_over_the_pictures(features, labels, weight, bias):
    """softmax over the pictures"""
    logits = features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=0))
    p /= p.sum(axis=0)
    g = (p - np.eye(len(bias))[labels]) / len(labels)
    return g.T @ features, g.sum(axis=0)
