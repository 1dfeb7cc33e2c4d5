"""Plausible wrong attempts at the exercises of chapter 13."""

import codecs
import math
from collections import Counter
from itertools import chain, pairwise


def my_best_pair__ignores_how_often_words_occur(words):
    """Each word was counted once; a word that occurs a hundred times has its pairs a hundred times.
    See “Learning the merges”."""
    counts = Counter(pair for word in words for pair in pairwise(word))
    return min(counts, key=lambda pair: (-counts[pair], pair), default=None)


def my_best_pair__of_equals_the_first(words):
    """Among equally frequent pairs you return the one that was met first, so the merges depend on
    the order of the words; wanted is the lowest. See “Exercise 13.1 · The commonest pair”."""
    counts = Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            counts[pair] += n
    return max(counts, key=counts.get, default=None)


def my_best_pair__of_equals_the_last(words):
    """Among equally frequent pairs you return the highest: the maximum of (count, pair) prefers
    large ids. Wanted is the lowest. See “Exercise 13.1 · The commonest pair”."""
    counts = Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            counts[pair] += n
    return max(counts, key=lambda pair: (counts[pair], pair), default=None)


def my_best_pair__of_equals_the_last_met(words):
    """Among equally frequent pairs you return the one that was met last, so the merges depend on
    the order of the words; wanted is the lowest. See “Exercise 13.1 · The commonest pair”."""
    best, most, counts = None, 0, Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            counts[pair] += n
    for pair, count in counts.items():
        if count >= most:
            best, most = pair, count
    return best


def my_best_pair__reaches_across_words(words):
    """The words were put in one row, and the last id of one made a pair with the first of the next;
    in the text these two need not be neighbours at all. See “Learning the merges”."""
    row = list(chain.from_iterable(word * n for word, n in words.items()))
    counts = Counter(pairwise(row))
    return min(counts, key=lambda pair: (-counts[pair], pair), default=None)


def my_best_pair__order_does_not_count(words):
    """The pairs (a, b) and (b, a) were counted as one; but `th` and `ht` are different pieces. See
    “Join the commonest pair, by hand”."""
    counts = Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            counts[tuple(sorted(pair))] += n
    return min(counts, key=lambda pair: (-counts[pair], pair), default=None)


def my_best_pair__once_a_word(words):
    """A pair that stands at several places of a word was counted there once; every place counts.
    See “Exercise 13.1 · The commonest pair”."""
    counts = Counter()
    for word, n in words.items():
        for pair in set(pairwise(word)):
            counts[pair] += n
    return min(counts, key=lambda pair: (-counts[pair], pair), default=None)


def my_best_pair__without_overlap(words):
    """In 7 7 7 the second pair was left out because it shares an id with the first. That rule is
    for joining; here each place counts. See “Exercise 13.1 · The commonest pair”."""
    counts = Counter()
    for word, n in words.items():
        end = {}
        for i, pair in enumerate(pairwise(word)):
            if end.get(pair, 0) <= i:
                counts[pair] += n
                end[pair] = i + 2
    return min(counts, key=lambda pair: (-counts[pair], pair), default=None)


def my_best_pair__every_second_pair(words):
    """The word was cut into pairs side by side, so half of the neighbours were not counted: in 1 2
    3 both (1, 2) and (2, 3) are pairs. See “Join the commonest pair, by hand”."""
    counts = Counter()
    for word, n in words.items():
        for i in range(0, len(word) - 1, 2):
            counts[word[i : i + 2]] += n
    return min(counts, key=lambda pair: (-counts[pair], pair), default=None)


def my_best_pair__fails_without_a_pair(words):
    """Words of a single id have no pair, and the minimum or maximum of nothing is an error; return
    None there. See “Exercise 13.1 · The commonest pair”."""
    counts = Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            counts[pair] += n
    return min(counts, key=lambda pair: (-counts[pair], pair))


def my_best_pair__returns_its_count_too(words):
    """The pair was returned together with its count; wanted is the pair alone, (a, b). See
    “Exercise 13.1 · The commonest pair”."""
    counts = Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            counts[pair] += n
    best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
    return best and (best, counts[best])


def my_best_pair__most_frequent_ids(words):
    """The two most frequent ids were paired; what counts is how often the two stand side by side.
    See “Join the commonest pair, by hand”."""
    counts = Counter()
    for word, n in words.items():
        for i in word:
            counts[i] += n
    best = sorted(counts, key=lambda i: (-counts[i], i))[:2]
    return tuple(best) if len(best) == 2 else None


def my_join__a_list_is_no_tuple(ids, pair, new):
    """A part of `ids` is a list, the pair is a tuple, and a list is never equal to a tuple: nothing
    was joined. Compare two of a kind. See “Exercise 13.2 · Join it”."""
    joined, i = [], 0
    while i < len(ids):
        if ids[i : i + 2] == pair:
            joined.append(new)
            i += 2
        else:
            joined.append(ids[i])
            i += 1
    return joined


def my_join__only_the_first(ids, pair, new):
    """Only the first place was joined; the pair is replaced wherever it stands. See “Join the
    commonest pair, by hand”."""
    ids = list(ids)
    for i in range(len(ids) - 1):
        if (ids[i], ids[i + 1]) == pair:
            return [*ids[:i], new, *ids[i + 2 :]]
    return ids


def my_join__an_id_is_used_twice(ids, pair, new):
    """After a join you go on with the second id of the pair, which is used up: in 1 1 1 it makes a
    second pair. Go on behind it. See “Exercise 13.2 · Join it”."""
    joined, used = [], set()
    for i in range(len(ids)):
        if tuple(ids[i : i + 2]) == pair:
            joined.append(new)
            used.add(i + 1)
        elif i not in used:
            joined.append(ids[i])
    return joined


def my_join__from_the_right(ids, pair, new):
    """The pairs were taken from the right; where three equal ids stand in a row, the two on the
    left belong together. See “Exercise 13.2 · Join it”."""
    ids = list(ids)
    for i in range(len(ids) - 2, -1, -1):
        if tuple(ids[i : i + 2]) == pair:
            ids[i : i + 2] = [new]
    return ids


def my_join__loses_the_last_id(ids, pair, new):
    """The loop ends one place early, because it looks at pairs; an id at the end that is part of no
    pair must stay. See “Exercise 13.2 · Join it”."""
    joined, i = [], 0
    while i < len(ids) - 1:
        if (ids[i], ids[i + 1]) == pair:
            joined.append(new)
            i += 2
        else:
            joined.append(ids[i])
            i += 1
    return joined


def my_join__reads_past_the_end(ids, pair, new):
    """At the last id there is no neighbour to look at, and Python says so with an IndexError. See
    “Exercise 13.2 · Join it”."""
    joined, i = [], 0
    while i < len(ids):
        if ids[i] == pair[0] and ids[i + 1] == pair[1]:
            joined.append(new)
            i += 2
        else:
            joined.append(ids[i])
            i += 1
    return joined


def my_join__the_first_id_decides(ids, pair, new):
    """Wherever the first id of the pair stands, it was joined with whatever follows; both ids must
    be those of the pair. See “Exercise 13.2 · Join it”."""
    joined, i = [], 0
    while i < len(ids):
        if ids[i] == pair[0] and i + 1 < len(ids):
            joined.append(new)
            i += 2
        else:
            joined.append(ids[i])
            i += 1
    return joined


def my_join__in_either_order(ids, pair, new):
    """The pair was joined in either order; but (2, 1) is another pair than (1, 2), and stands for
    other bytes. See “Exercise 13.2 · Join it”."""
    joined, i = [], 0
    while i < len(ids):
        if set(ids[i : i + 2]) == set(pair) and i + 1 < len(ids):
            joined.append(new)
            i += 2
        else:
            joined.append(ids[i])
            i += 1
    return joined


def my_join__as_text(ids, pair, new):
    """The ids were written as a text and replaced there; in it the end of 11 looks like a 1. See
    “Exercise 13.2 · Join it”."""
    text = " ".join(map(str, ids)).replace(f"{pair[0]} {pair[1]}", str(new))
    return [int(word) for word in text.split()]


def my_join__changes_its_argument(ids, pair, new):
    """The list that came in was changed, and whoever called finds other ids than before; make a new
    list. See “Exercise 13.2 · Join it”."""
    i = 0
    while i < len(ids) - 1:
        if (ids[i], ids[i + 1]) == pair:
            ids[i : i + 2] = [new]
        i += 1
    return ids


def my_join__keeps_the_second_id(ids, pair, new):
    """The new id stands beside the second id of the pair; it stands for both, and takes the place
    of both. See “Join the commonest pair, by hand”."""
    joined = []
    for i, one in enumerate(ids):
        joined.append(new if tuple(ids[i : i + 2]) == pair else one)
    return joined


def my_merge_pairs__from_the_left(ids, rank, made):
    """The first pair from the left that has a rank was joined; a pair further right may have a
    lower rank, and comes first. See “Encoding: by rank, not by length”."""
    ids, i = list(ids), 0
    while i < len(ids) - 1:
        if tuple(ids[i : i + 2]) in rank:
            ids[i : i + 2] = [made[rank[tuple(ids[i : i + 2])]]]
            i = 0
        else:
            i += 1
    return ids


def my_merge_pairs__highest_rank_first(ids, rank, made):
    """The pair of the highest rank was joined first; rank 0 was learned first, and comes first. See
    “Encoding: by rank, not by length”."""
    ids = list(ids)
    while pairs := [pair for pair in pairwise(ids) if pair in rank]:
        i = list(pairwise(ids)).index(max(pairs, key=rank.get))
        ids[i : i + 2] = [made[rank[tuple(ids[i : i + 2])]]]
    return ids


def my_merge_pairs__new_ids_are_not_joined(ids, rank, made):
    """The pairs were looked up once, in the bytes; what a join makes can be part of a pair itself,
    so look again after each. See “Exercise 13.3 · Encode a word”."""
    bytes_ = list(ids)
    for pair in sorted(set(pairwise(ids)) & set(rank), key=rank.get):
        i = 0
        while i < len(bytes_) - 1:
            if tuple(bytes_[i : i + 2]) == pair:
                bytes_[i : i + 2] = [made[rank[pair]]]
            i += 1
    return bytes_


def my_merge_pairs__one_merge_only(ids, rank, made):
    """One pair was joined, and that was it; go on until no pair has a rank. See “Encoding: by rank,
    not by length”."""
    ids = list(ids)
    if pairs := [pair for pair in pairwise(ids) if pair in rank]:
        i = list(pairwise(ids)).index(min(pairs, key=rank.get))
        ids[i : i + 2] = [made[rank[tuple(ids[i : i + 2])]]]
    return ids


def my_merge_pairs__each_merge_once(ids, rank, made):
    """Each merge was applied at one place only; a pair can stand at several places of a word. See
    “Exercise 13.3 · Encode a word”."""
    ids = list(ids)
    for pair in sorted(rank, key=rank.get):
        for i in range(len(ids) - 1):
            if (ids[i], ids[i + 1]) == pair:
                ids[i : i + 2] = [made[rank[pair]]]
                break
    return ids


def my_merge_pairs__ids_are_256_plus_rank(ids, rank, made):
    """The new id was computed as 256 + rank; that holds for tokenizers of our own, and not for
    files of other people. It is made[rank]. See “Exercise 13.3 · Encode a word”."""
    ids = list(ids)
    while pairs := [pair for pair in pairwise(ids) if pair in rank]:
        i = list(pairwise(ids)).index(min(pairs, key=rank.get))
        ids[i : i + 2] = [256 + rank[tuple(ids[i : i + 2])]]
    return ids


def my_merge_pairs__the_rank_is_the_id(ids, rank, made):
    """The rank was put in place of the pair; it says when the pair comes, and made[rank] what it
    becomes. See “Exercise 13.3 · Encode a word”."""
    ids = list(ids)
    while pairs := [pair for pair in pairwise(ids) if pair in rank]:
        i = list(pairwise(ids)).index(min(pairs, key=rank.get))
        ids[i : i + 2] = [rank[tuple(ids[i : i + 2])]]
    return ids


def my_merge_pairs__every_pair_must_have_a_rank(ids, rank, made):
    """Every pair was looked up with rank[pair], but most pairs have no rank, and the look-up is an
    error. See “Exercise 13.3 · Encode a word”."""
    ids = list(ids)
    while len(ids) > 1:
        i = min(range(len(ids) - 1), key=lambda i: rank[ids[i], ids[i + 1]])
        ids[i : i + 2] = [made[rank[ids[i], ids[i + 1]]]]
    return ids


def my_merge_pairs__of_equals_the_rightmost(ids, rank, made):
    """Where a pair stands at several places, the rightmost was joined first; of three equal ids the
    two on the left belong together. See “Exercise 13.3 · Encode a word”."""
    ids = list(ids)
    while places := [i for i, pair in enumerate(pairwise(ids)) if pair in rank]:
        i = min(places, key=lambda i: (rank[ids[i], ids[i + 1]], -i))
        ids[i : i + 2] = [made[rank[ids[i], ids[i + 1]]]]
    return ids


def my_merge_pairs__changes_its_argument(ids, rank, made):
    """The list that came in was joined in place, and whoever called finds other ids than before;
    make a copy first. See “Exercise 13.3 · Encode a word”."""
    while places := [i for i, pair in enumerate(pairwise(ids)) if pair in rank]:
        i = min(places, key=lambda i: (rank[ids[i], ids[i + 1]], i))
        ids[i : i + 2] = [made[rank[ids[i], ids[i + 1]]]]
    return ids


def my_merge_pairs__zero_is_no_rank(ids, rank, made):
    """0 is a rank too, and the best; but `if rank.get(pair)` takes it for none, since 0 counts as
    false. Ask whether the pair is in `rank`. See “Exercise 13.3 · Encode a word”."""
    ids = list(ids)
    while places := [i for i, pair in enumerate(pairwise(ids)) if rank.get(pair)]:
        i = min(places, key=lambda i: rank[ids[i], ids[i + 1]])
        ids[i : i + 2] = [made[rank[ids[i], ids[i + 1]]]]
    return ids


def my_merge_pairs__one_pass_over_the_ranks(ids, rank, made):
    """You went through the ranks once, from the lowest. A join can make a pair whose rank had its
    turn already; look for the lowest anew after each. See “Exercise 13.3 · Encode a word”."""
    ids = list(ids)
    for pair in sorted(rank, key=rank.get):
        i = 0
        while i < len(ids) - 1:
            if (ids[i], ids[i + 1]) == pair:
                ids[i : i + 2] = [made[rank[pair]]]
            i += 1
    return ids


def my_merge_pairs__most_frequent_first(ids, rank, made):
    """The pair that is most frequent in this word was joined first, as in learning; encoding learns
    nothing, it goes by rank alone. See “Encoding: by rank, not by length”."""
    ids = list(ids)
    while counts := Counter(pair for pair in pairwise(ids) if pair in rank):
        pair = max(counts, key=lambda pair: (counts[pair], -rank[pair]))
        i = list(pairwise(ids)).index(pair)
        ids[i : i + 2] = [made[rank[pair]]]
    return ids


def my_merge_pairs__in_the_order_of_the_dictionary(ids, rank, made):
    """The merges were applied in the order in which the dictionary holds them; what counts is the
    rank, the number that it holds. See “Exercise 13.3 · Encode a word”."""
    ids = list(ids)
    for pair in rank:
        i = 0
        while i < len(ids) - 1:
            if (ids[i], ids[i + 1]) == pair:
                ids[i : i + 2] = [made[rank[pair]]]
            i += 1
    return ids


def my_merge_pairs__returns_a_tuple(ids, rank, made):
    """The ids came back as a tuple; wanted is a list. See “Exercise 13.3 · Encode a word”."""
    ids = list(ids)
    while places := [i for i, pair in enumerate(pairwise(ids)) if pair in rank]:
        i = min(places, key=lambda i: (rank[ids[i], ids[i + 1]], i))
        ids[i : i + 2] = [made[rank[ids[i], ids[i + 1]]]]
    return tuple(ids)


def my_decode__one_token_at_a_time(token_bytes, ids):
    """Each token was decoded alone; a token may be a third of a character, and only all bytes
    together make one. See “The tokenizer”."""
    return "".join(token_bytes[i].decode("utf-8", errors="replace") for i in ids)


def my_decode__strict(token_bytes, ids):
    """Bytes that are no character raise an error here; a model may write any ids, and the reader
    must see something. See “Exercise 13.4 · Ids to text”."""
    return b"".join(token_bytes[i] for i in ids).decode()


def my_decode__drops_what_is_no_character(token_bytes, ids):
    """Bytes that are no character were left out, so that nobody sees that something is wrong; they
    appear as U+FFFD. See “Exercise 13.4 · Ids to text”."""
    return b"".join(token_bytes[i] for i in ids).decode("utf-8", errors="ignore")


def my_decode__one_byte_one_character(token_bytes, ids):
    """Each byte was made a character of its own, as Latin-1 does; in UTF-8 a character may take up
    to four. See “Bytes, an alphabet without gaps”."""
    return b"".join(token_bytes[i] for i in ids).decode("latin-1")


def my_decode__blanks_between_tokens(token_bytes, ids):
    """Blanks were put between the tokens; a token brings its blank along, and most have none. See
    “First cut, then merge”."""
    return b" ".join(token_bytes[i] for i in ids).decode("utf-8", errors="replace")


def my_decode__strips_blanks(token_bytes, ids):
    """Blanks or line breaks at the ends were taken off; they belong to the text, and decode must
    give back exactly what was encoded. See “Exercise 13.4 · Ids to text”."""
    return b"".join(token_bytes[i] for i in ids).decode("utf-8", errors="replace").strip()


def my_decode__gives_bytes(token_bytes, ids):
    """The bytes were returned; a text is a str, so decode them as UTF-8. See “Bytes, an alphabet
    without gaps”."""
    return b"".join(token_bytes[i] for i in ids)


def my_decode__written_out(token_bytes, ids):
    """The bytes were written out as Python shows them, with a b and quotes; decode makes a text of
    them. See “Bytes, an alphabet without gaps”."""
    return "".join(str(token_bytes[i]) for i in ids)


def my_decode__waits_for_ever(token_bytes, ids):
    """Unfinished bytes at the end were kept back and are lost, since nothing follows; they appear
    as U+FFFD. See “Exercise 13.4 · Ids to text”."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return "".join(decoder.decode(token_bytes[i]) for i in ids)


def my_decode__empty_ids_are_refused(token_bytes, ids):
    """An array was asked whether it is true, which works for a list and is an error for an array of
    several ids. See “Exercise 13.4 · Ids to text”."""
    if not ids or ids == []:
        return ""
    return b"".join(token_bytes[i] for i in ids).decode("utf-8", errors="replace")


def my_bits_per_byte__characters(loss, n_tokens, text):
    """The length of the string counts characters; a character may be up to four bytes, so encode
    the text and count again. See “Bytes, an alphabet without gaps”."""
    return loss * n_tokens / (len(text) * math.log(2))


def my_bits_per_byte__stays_in_nats(loss, n_tokens, text):
    """These are nats per byte; one bit is ln 2 nats, so divide by that. See “A unit in which
    tokenizers can be compared”."""
    return loss * n_tokens / len(text.encode())


def my_bits_per_byte__times_ln_2(loss, n_tokens, text):
    """You multiplied by ln 2; a bit is the smaller unit, ln 2 = 0.693 nats, so there are more of
    them: divide. See “A unit in which tokenizers can be compared”."""
    return loss * n_tokens / len(text.encode()) * math.log(2)


def my_bits_per_byte__per_token(loss, n_tokens, text):
    """These are bits per token, which larger tokens make larger; divide the surprise at the whole
    text by its bytes. See “A unit in which tokenizers can be compared”."""
    return loss / math.log(2)


def my_bits_per_byte__loss_is_the_whole(loss, n_tokens, text):
    """The loss was taken for the surprise at the whole text; it is the mean per token, so multiply
    by their number. See “A unit in which tokenizers can be compared”."""
    return loss / (len(text.encode()) * math.log(2))


def my_bits_per_byte__bytes_per_token(loss, n_tokens, text):
    """You multiplied by the bytes per token, not by the tokens per byte; the fewer tokens for a
    text, the fewer bits. See “A unit in which tokenizers can be compared”."""
    return loss / math.log(2) * len(text.encode()) / n_tokens


def my_bits_per_byte__divided_by_the_tokens(loss, n_tokens, text):
    """You divided by the number of tokens; the loss is a mean already, so multiply by it to have
    the surprise at the whole text. See “A unit in which tokenizers can be compared”."""
    return loss / n_tokens / (len(text.encode()) * math.log(2))


def my_bits_per_byte__tokens_in_place_of_bytes(loss, n_tokens, text):
    """You divided by the number of tokens in place of the bytes, and the loss is a mean over them
    already. See “A unit in which tokenizers can be compared”."""
    return loss / (n_tokens * math.log(2))


def my_bits_per_byte__logarithm_of_the_loss(loss, n_tokens, text):
    """The logarithm of the loss was taken; the loss is a logarithm already, and only its unit
    changes. See “A unit in which tokenizers can be compared”."""
    return math.log2(loss) * n_tokens / len(text.encode()) if loss else 0.0


def my_bits_per_byte__perplexity(loss, n_tokens, text):
    """This is a perplexity, e or 2 to the surprise; bits are the surprise itself. See “A unit in
    which tokenizers can be compared”."""
    return math.exp(loss * n_tokens / len(text.encode()))


def my_bits_per_byte__another_encoding(loss, n_tokens, text):
    """The bytes were counted in another encoding; here a text is stored in UTF-8, in which letters
    of English take one byte each. See “Bytes, an alphabet without gaps”."""
    return loss * n_tokens / (len(text.encode("utf-16")) * math.log(2))


def my_text_pieces__one_token_at_a_time(token_bytes, ids):
    """Each token was decoded alone, so that every part of a character shows as U+FFFD; parts must
    wait for the rest. See “Exercise 13.6 · Never half a character”."""
    return [token_bytes[i].decode("utf-8", "replace") for i in ids]


def my_text_pieces__parts_are_dropped(token_bytes, ids):
    """What is no whole character in its token was dropped, and the character never appears; its
    bytes must be kept for the next token. See “Exercise 13.6 · Never half a character”."""
    return [token_bytes[i].decode("utf-8", "ignore") for i in ids]


def my_text_pieces__forgets_the_end(token_bytes, ids):
    """Bytes that still wait at the end are lost; tell the decoder that nothing more comes, and
    return what it gives in one more piece. See “Exercise 13.6 · Never half a character”."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return [decoder.decode(token_bytes[i]) for i in ids]


def my_text_pieces__the_end_is_glued_on(token_bytes, ids):
    """The last token was decoded with final=True, which glues the U+FFFD of what waits to its
    piece; it comes after that, in a piece of its own. See “Exercise 13.6 · Never half a character”.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    last = len(ids) - 1
    return [decoder.decode(token_bytes[i], final=n == last) for n, i in enumerate(ids)]


def my_text_pieces__a_class_is_no_object(token_bytes, ids):
    """What `getincrementaldecoder` returns is a class; only an object of it remembers bytes, and
    Python misses an argument without one. Call it. See “Exercise 13.6 · Never half a character”."""
    decoder = codecs.getincrementaldecoder("utf-8")
    pieces = [decoder.decode(token_bytes[i]) for i in ids]
    end = decoder.decode(b"", final=True)
    return [*pieces, end] if end else pieces


def my_text_pieces__always_a_piece_at_the_end(token_bytes, ids):
    """One more piece stands at the end even where nothing waits; it comes only with bytes that were
    left over. See “Exercise 13.6 · Never half a character”."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return [*(decoder.decode(token_bytes[i]) for i in ids), decoder.decode(b"", True)]


def my_text_pieces__waits_for_what_never_comes(token_bytes, ids):
    """You wait until all bytes together are a text; after one byte that fits nowhere they never
    are, and nothing is shown any more. See “Exercise 13.6 · Never half a character”."""
    pieces, waiting = [], b""
    for i in ids:
        waiting += token_bytes[i]
        try:
            pieces.append(waiting.decode())
            waiting = b""
        except UnicodeDecodeError:
            pieces.append("")
    return [*pieces, waiting.decode("utf-8", "replace")] if waiting else pieces


def my_text_pieces__difference_of_the_whole_text(token_bytes, ids):
    """The new end of the text decoded so far was shown; half a character is in it as U+FFFD, and
    when that becomes a letter, the letter is missed. See “Exercise 13.6 · Never half a character”.
    """
    pieces, shown, raw = [], "", b""
    for i in ids:
        raw += token_bytes[i]
        text = raw.decode("utf-8", "replace")
        pieces.append(text[len(shown) :])
        shown = text
    return pieces


def my_text_pieces__holds_back_every_replacement(token_bytes, ids):
    """Whenever the text so far ends with U+FFFD you wait; but that may be a byte that will never be
    a character, or a U+FFFD of the text itself. See “Exercise 13.6 · Never half a character”."""
    pieces, shown, raw = [], 0, b""
    for i in ids:
        raw += token_bytes[i]
        text = raw.decode("utf-8", "replace")
        if text.endswith("\ufffd"):
            pieces.append("")
        else:
            pieces.append(text[shown:])
            shown = len(text)
    rest = raw.decode("utf-8", "replace")[shown:]
    return [*pieces, rest] if rest else pieces


def my_text_pieces__leaves_out_empty_pieces(token_bytes, ids):
    """The empty strings were left out, so that nobody knows which id a piece belongs to; there is
    one for each id. See “Exercise 13.6 · Never half a character”."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pieces = [decoder.decode(token_bytes[i]) for i in ids]
    return [piece for piece in [*pieces, decoder.decode(b"", True)] if piece]


def my_text_pieces__strict(token_bytes, ids):
    """A byte that is no character raises an error, and the text breaks off; a model may write any
    ids, and they appear as U+FFFD. See “Exercise 13.6 · Never half a character”."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    pieces = [decoder.decode(token_bytes[i]) for i in ids]
    end = decoder.decode(b"", True)
    return [*pieces, end] if end else pieces


def my_text_pieces__joined(token_bytes, ids):
    """The whole text came back as one string; wanted is a list, with what each id adds. See
    “Exercise 13.6 · Never half a character”."""
    return b"".join(token_bytes[i] for i in ids).decode("utf-8", "replace")


def my_text_pieces__the_text_so_far(token_bytes, ids):
    """Each piece holds all of the text so far; wanted is only what this id adds. See “Exercise 13.6
    · Never half a character”."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pieces, text = [], ""
    for i in ids:
        text += decoder.decode(token_bytes[i])
        pieces.append(text)
    return pieces
