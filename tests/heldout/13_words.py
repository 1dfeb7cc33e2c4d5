"""Wrong attempts that vary a described one, and right answers, at the exercises of chapter 13."""

import codecs
import math
from collections import Counter, defaultdict

import numpy as np


def my_best_pair__ignores_how_often_words_occur__heldout_loop(words):
    found = defaultdict(int)
    for word in words.keys():
        for i in range(len(word) - 1):
            found[(word[i], word[i + 1])] += 1
    return sorted(found, key=lambda p: (-found[p], p))[0] if found else None


def my_best_pair__without_overlap__heldout_skip(words):
    found = defaultdict(int)
    for word, times in words.items():
        i = 0
        while i + 1 < len(word):
            found[word[i], word[i + 1]] += times
            # of equal ids in a row the next pair is passed over
            i += 2 if word[i : i + 3] == (word[i],) * 3 else 1
    return min(found, key=lambda p: (-found[p], p)) if found else None


def my_best_pair__of_equals_the_first__heldout_most_common(words):
    found = Counter()
    for word, times in words.items():
        for a, b in zip(word, word[1:]):
            found[a, b] += times
    return found.most_common(1)[0][0] if found else None


def my_best_pair__of_equals_the_last__heldout_sorted(words):
    found = {}
    for word, times in words.items():
        for p in zip(word[:-1], word[1:]):
            found[p] = found.get(p, 0) + times
    ordered = sorted((n, p) for p, n in found.items())
    return ordered[-1][1] if ordered else None


def my_join__an_id_is_used_twice__heldout_enumerate(ids, pair, new):
    starts = [i for i in range(len(ids) - 1) if (ids[i], ids[i + 1]) == pair]
    hidden = {i + 1 for i in starts} - set(starts)
    return [new if i in starts else one for i, one in enumerate(ids) if i not in hidden]


def my_join__a_list_is_no_tuple__heldout_brackets(ids, pair, new):
    out, at = [], 0
    while at < len(ids):
        both = [ids[at], ids[at + 1]] if at + 1 < len(ids) else None
        out += [new] if both == pair else [ids[at]]
        at += 2 if both == pair else 1
    return out


def my_join__only_the_first__heldout_index(ids, pair, new):
    both = list(zip(ids, ids[1:]))
    if pair not in both:
        return ids[:]
    at = both.index(pair)
    return ids[:at] + [new] + ids[at + 2 :]


def my_join__in_either_order__heldout_sorted(ids, pair, new):
    out = []
    i = 0
    while i < len(ids):
        if sorted(ids[i : i + 2]) == sorted(pair):
            out, i = out + [new], i + 2
        else:
            out, i = out + [ids[i]], i + 1
    return out


def my_merge_pairs__from_the_left__heldout_for(ids, rank, made):
    ids = ids[:]
    changed = True
    while changed:
        changed = False
        for i, p in enumerate(zip(ids, ids[1:])):
            if p in rank:
                ids = ids[:i] + [made[rank[p]]] + ids[i + 2 :]
                changed = True
                break
    return ids


def my_merge_pairs__highest_rank_first__heldout_sorted(ids, rank, made):
    ids = list(ids)
    while True:
        ranks = [rank.get(p, -1) for p in zip(ids, ids[1:])]
        if not ranks or max(ranks) < 0:
            return ids
        i = ranks.index(max(ranks))
        ids = ids[:i] + [made[ranks[i]]] + ids[i + 2 :]


def my_merge_pairs__zero_is_no_rank__heldout_or(ids, rank, made):
    ids = ids[:]
    while True:
        ranks = [rank.get(p) or len(made) for p in zip(ids, ids[1:])]
        if not ranks or min(ranks) == len(made):
            return ids
        i = ranks.index(min(ranks))
        ids[i : i + 2] = [made[min(ranks)]]


def my_merge_pairs__one_pass_over_the_ranks__heldout_items(ids, rank, made):
    ids = list(ids)
    for pair, r in sorted(rank.items(), key=lambda item: item[1]):
        i = 0
        while i + 1 < len(ids):
            if (ids[i], ids[i + 1]) == pair:
                ids[i : i + 2] = [made[r]]
            i += 1
    return ids


def my_decode__one_token_at_a_time__heldout_loop(token_bytes, ids):
    text = ""
    for i in ids:
        text += str(token_bytes[i], "utf-8", "replace")
    return text


def my_decode__drops_what_is_no_character__heldout_codec(token_bytes, ids):
    raw = bytes(b for i in ids for b in token_bytes[i])
    return codecs.decode(raw, "utf-8", "ignore")


def my_bits_per_byte__characters__heldout_log2(loss, n_tokens, text):
    return n_tokens * loss * math.log2(math.e) / len(text)


def my_bits_per_byte__per_token__heldout_log2(loss, n_tokens, text):
    return float(np.log2(np.exp(loss)))


def my_bits_per_byte__divided_by_the_tokens__heldout_steps(loss, n_tokens, text):
    mean = loss / n_tokens
    return mean * math.log2(math.e) / len(text.encode("utf-8"))


def my_bits_per_byte__times_ln_2__heldout_steps(loss, n_tokens, text):
    nats = n_tokens * loss
    bits = nats * np.log(2)
    return bits / len(text.encode("utf-8"))


def my_text_pieces__one_token_at_a_time__heldout_loop(token_bytes, ids):
    out = []
    for i in ids:
        out.append(str(token_bytes[i], "utf-8", errors="replace"))
    return out


def my_text_pieces__forgets_the_end__heldout_loop(token_bytes, ids):
    reader, out = codecs.getincrementaldecoder("utf8")(errors="replace"), []
    for token in (token_bytes[i] for i in ids):
        out += [reader.decode(token, final=False)]
    return out


def my_text_pieces__the_end_is_glued_on__heldout_added(token_bytes, ids):
    reader = codecs.getincrementaldecoder("utf-8")(errors="replace")
    out = [reader.decode(token_bytes[i]) for i in ids]
    if out:
        out[-1] += reader.decode(b"", final=True)
    return out


def my_text_pieces__a_class_is_no_object__heldout_loop(token_bytes, ids):
    reader, out = codecs.getincrementaldecoder("utf8"), []
    for i in ids:
        out.append(reader.decode(token_bytes[i]))
    rest = reader.decode(b"", final=True)
    return out + [rest] if rest else out


def my_text_pieces__waits_for_what_never_comes__heldout_reset(token_bytes, ids):
    out, rest = [], bytearray()
    for i in ids:
        rest.extend(token_bytes[i])
        try:
            text = str(rest, "utf-8")
        except UnicodeError:
            text = ""
        else:
            rest = bytearray()
        out.append(text)
    if rest:
        out.append(str(rest, "utf-8", "replace"))
    return out


def my_best_pair__correct_sorted(words):
    found = {}
    for word, times in words.items():
        for a, b in zip(word[:-1], word[1:]):
            found[a, b] = found.get((a, b), 0) + times
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))[0][0] if found else None


def my_join__correct_pop(ids, pair, new):
    joined = []
    for one in ids:
        joined.append(one)
        # a new id is never part of the pair, so the last two are from `ids`
        if tuple(joined[-2:]) == tuple(pair):
            joined[-2:] = [new]
    return joined


def my_merge_pairs__correct_scan(ids, rank, made):
    ids = list(ids)
    while True:
        best = None
        for i, pair in enumerate(zip(ids, ids[1:])):
            if pair in rank and (best is None or rank[pair] < best[0]):
                best = rank[pair], i
        if best is None:
            return ids
        r, i = best
        ids = ids[:i] + [made[r]] + ids[i + 2 :]


def my_merge_pairs__correct_recursive(ids, rank, made):
    ranks = [rank.get(pair, len(rank)) for pair in zip(ids, ids[1:])]
    lowest = min(ranks, default=len(rank))
    if lowest == len(rank):
        return list(ids)
    i = ranks.index(lowest)
    return my_merge_pairs__correct_recursive([*ids[:i], made[lowest], *ids[i + 2 :]], rank, made)


def my_decode__correct_bytearray(token_bytes, ids):
    raw = bytearray()
    for i in ids:
        raw += token_bytes[int(i)]
    return str(bytes(raw), encoding="utf-8", errors="replace")


def my_bits_per_byte__correct_log2(loss, n_tokens, text):
    return np.log2(np.e) * loss * n_tokens / len(bytes(text, "utf-8"))


def my_text_pieces__correct_by_hand(token_bytes, ids):
    pieces, waiting = [], b""
    for i in ids:
        waiting += token_bytes[i]
        try:
            piece, rest = waiting.decode(), b""
        except UnicodeDecodeError:
            at = len(waiting)
            for length in (1, 2, 3):  # the longest end that may still become a character
                end = waiting[-length:]
                first = end[0]
                need = 2 if 0xC2 <= first < 0xE0 else 3 if 0xE0 <= first < 0xF0 else 4
                if 0xC2 <= first < 0xF5 and length < need and len(end) == length:
                    if len(end.decode("utf-8", "replace")) == 1:
                        at = len(waiting) - length
            piece, rest = waiting[:at].decode("utf-8", "replace"), waiting[at:]
        pieces.append(piece)
        waiting = rest
    return pieces + ["\ufffd"] if waiting else pieces
