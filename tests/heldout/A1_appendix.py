"""Attempts at the appendix that nobody has met: known mistakes and right answers, written anew."""

from collections import Counter

import numpy as np


def my_unigram_bits__nats_for_bits__heldout_counter(train_ids, val_ids, vocab_size):
    counts = Counter(train_ids.tolist())
    total = len(train_ids) + vocab_size
    return float(np.mean([np.log(total / (1 + counts[i])) for i in val_ids.tolist()]))


def my_unigram_bits__denominator_without_the_added_ones__heldout_loop(
    train_ids, val_ids, vocab_size
):
    bits = 0.0
    for i in val_ids:
        bits -= np.log2((1 + np.sum(train_ids == i)) / len(train_ids))
    return bits / len(val_ids)


def my_unigram_bits__judged_on_the_training_text__heldout_counter(train_ids, val_ids, vocab_size):
    counts = np.ones(vocab_size)
    np.add.at(counts, train_ids, 1)
    return float(np.mean(np.log2(counts.sum()) - np.log2(counts[train_ids])))


def my_unigram_bits__correct_counter(train_ids, val_ids, vocab_size):
    counts = Counter(train_ids.tolist())
    total = len(train_ids) + vocab_size
    return sum(np.log2(total / (1 + counts[i])) for i in val_ids.tolist()) / len(val_ids)


def my_has_form__five_and_seven_may_mix__heldout_zip(poem):
    lines = poem.split("\n")
    pairs = zip(lines, "，。，。")
    return len(lines) == 4 and all(len(line) in (6, 8) and line[-1] == mark for line, mark in pairs)


def my_has_form__lines_need_only_be_alike__heldout_first(poem):
    lines = poem.split("\n")
    length = len(lines[0])
    right = len(lines) == 4
    for i, line in enumerate(lines):
        right = right and len(line) == length and line.endswith("。" if i % 2 else "，")
    return right


def my_has_form__correct_by_comparing(poem):
    plain = "".join("x" if c not in "，。\n" else c for c in poem)
    couplets = ["x" * n + "，\n" + "x" * n + "。" for n in (5, 7)]
    return any(plain == couplet + "\n" + couplet for couplet in couplets)


def my_next_kind__same_mark_after_every_line__heldout_count(written, n):
    line = len(written.split("\n")[-1])
    if line < n:
        return "character"
    if line > n:
        return "end" if written.count("\n") == 3 else "\n"
    return "，"


def my_next_kind__poem_never_ends__heldout_modulo(written, n):
    place = len(written) % (n + 2)
    if place < n:
        return "character"
    if place == n:
        return "。" if written.count("\n") % 2 else "，"
    return "\n"


def my_next_kind__correct_from_the_whole(written, n):
    poem = "\n".join(["x" * n + mark for mark in "，。，。"])
    if len(written) == len(poem):
        return "end"
    following = poem[len(written)]
    return "character" if following == "x" else following


def my_shown__looks_at_single_characters_only__heldout_index(text, stops):
    shown = []
    for i in range(len(text)):
        if text[i] in stops:
            shown.append("")
            return shown
        shown.append(text[i])
    return shown + [""]


def my_shown__stop_string_is_shown_too__heldout_places(text, stops):
    shown, start = [], 0
    for end in range(1, len(text) + 1):
        if any(text[start:end].endswith(stop) for stop in stops):
            return [*shown, text[start:end]]
        at = start
        while at < end and not any(stop.startswith(text[at:end]) for stop in stops):
            at += 1
        shown.append(text[start:at])
        start = at
    return [*shown, text[start:]]


def my_shown__correct_by_places(text, stops):
    shown, start = [], 0
    for end in range(1, len(text) + 1):
        complete = [stop for stop in stops if text[start:end].endswith(stop)]
        if complete:
            shown.append(text[start : end - max(map(len, complete))])
            return shown
        starts = (at for at in range(start, end) if any(s.startswith(text[at:end]) for s in stops))
        at = next(starts, end)
        shown.append(text[start:at])
        start = at
    shown.append(text[start:])
    return shown


def my_admission__nobody_moves_up__heldout_strings(happenings, max_running, max_waiting):
    running, waiting, states = "", "", []
    for what in happenings:
        name = what[1]
        if what[0] == "-":
            running, waiting = running.replace(name, ""), waiting.replace(name, "")
        elif len(running) < max_running:
            running += name
        elif len(waiting) < max_waiting:
            waiting += name
        else:
            states.append("refused")
            continue
        states.append(f"{running}|{waiting}")
    return states


def my_admission__one_too_many_in_the_queue__heldout_strings(happenings, max_running, max_waiting):
    inside, states = "", []
    for what in happenings:
        if what[0] == "-":
            inside = inside.replace(what[1], "")
        elif len(inside) <= max_running + max_waiting:
            inside += what[1]
        else:
            states.append("refused")
            continue
        states.append(inside[:max_running] + "|" + inside[max_running:])
    return states


def my_admission__correct_one_row(happenings, max_running, max_waiting):
    inside, states = "", []
    for what in happenings:
        if what[0] == "-":
            inside = inside.replace(what[1], "")
        elif len(inside) < max_running + max_waiting:
            inside += what[1]
        else:
            states.append("refused")
            continue
        states.append(inside[:max_running] + "|" + inside[max_running:])
    return states


def my_event_data__strips_spaces_that_are_data__heldout_lines(chunks):
    found, lines = [], []
    for line in b"".join(chunks).decode().split("\n")[:-1]:
        if line.startswith("data:"):
            lines.append(line.removeprefix("data:").strip(" "))
        elif line == "":
            if lines:
                found.append("\n".join(lines))
            lines = []
    return found


def my_event_data__every_line_is_an_event__heldout_bytes(chunks):
    whole = b"".join(chunks)
    complete = whole[: whole.rfind(b"\n\n") + 1]
    found = []
    for line in complete.split(b"\n"):
        if line[:5] == b"data:":
            text = line[5:].decode("utf-8")
            found.append(text[1:] if text[:1] == " " else text)
    return found


def my_event_data__correct_lines(chunks):
    found, lines = [], []
    for line in b"".join(chunks).decode("utf-8").split("\n")[:-1]:
        if line == "":
            found += ["\n".join(lines)] if lines else []
            lines = []
        name, colon, value = line.partition(":")
        if name == "data" and colon:
            lines.append(value[1:] if value.startswith(" ") else value)
    return found


def my_nearest_mean__nearest_single_picture__heldout_loop(features, labels, queries):
    result = []
    for query in queries:
        distance = np.linalg.norm(features - query, axis=1)
        result.append(labels[np.argmin(distance)])
    return np.array(result)


def my_nearest_mean__largest_product_as_in_attention__heldout_loop(features, labels, queries):
    means = {label: features[labels == label].mean(axis=0) for label in np.unique(labels)}
    return np.array([max(means, key=lambda label: query @ means[label]) for query in queries])


def my_nearest_mean__correct_dictionary(features, labels, queries):
    means = {label: features[labels == label].mean(axis=0) for label in sorted(set(labels))}

    def nearest(query):
        return min(means, key=lambda label: float(np.linalg.norm(query - means[label])))

    return np.array([nearest(query) for query in queries])


def my_probe_gradient__labels_less_probabilities__heldout_loop(features, labels, weight, bias):
    of_weight, of_bias = np.zeros(weight.shape), np.zeros(bias.shape)
    for f, label in zip(features, labels):
        z = weight @ f + bias
        p = np.exp(z - z.max())
        error = -p / p.sum()
        error[label] += 1
        of_weight += np.outer(error, f) / len(labels)
        of_bias += error / len(labels)
    return of_weight, of_bias


def my_probe_gradient__sum_over_the_pictures_not_the_mean__heldout_loop(
    features, labels, weight, bias
):
    of_weight, of_bias = 0 * weight, 0 * bias
    for f, label in zip(features, labels):
        z = weight @ f + bias
        p = np.exp(z - z.max())
        p = p / p.sum() - np.eye(len(bias))[label]
        of_weight, of_bias = of_weight + np.outer(p, f), of_bias + p
    return of_weight, of_bias


def my_probe_gradient__correct_loop(features, labels, weight, bias):
    of_weight, of_bias = np.zeros(weight.shape), np.zeros(bias.shape)
    for f, label in zip(features, labels):
        z = weight @ f + bias
        p = np.exp(z - z.max())
        error = p / p.sum()
        error[label] -= 1
        of_weight += error[:, None] * f[None, :] / len(labels)
        of_bias += error / len(labels)
    return of_weight, of_bias
