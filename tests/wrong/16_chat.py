"""Plausible wrong attempts at the exercises of chapter 16."""

import math

import numpy as np


def my_prompt_ids__as_one_text(tokenizer, messages):
    """The whole was encoded as one text with special tokens allowed, so a mark that somebody types
    becomes a mark. Encode what people wrote by itself. See “Turns, and marks that nobody can
    forge”."""
    text = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)
    return tokenizer.encode(text + "<|im_start|>assistant\n", allow_special=True)


def my_prompt_ids__marks_as_text(tokenizer, messages):
    """The marks were encoded as ordinary text and fell into characters; the model has one id for
    each mark, in tokenizer.special. See “Exercise 16.1 · Built from parts”."""
    text = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)
    return tokenizer.encode(text + "<|im_start|>assistant\n")


def my_prompt_ids__content_may_have_marks(tokenizer, messages):
    """The parts are right, but contents were encoded with special tokens allowed: only the program
    may write a mark. See “Turns, and marks that nobody can forge”."""
    start, end = tokenizer.special["<|im_start|>"], tokenizer.special["<|im_end|>"]
    ids = []
    for m in messages:
        said = tokenizer.encode(f"{m['role']}\n{m['content']}", allow_special=True)
        ids += [start, *said, end, *tokenizer.encode("\n")]
    return [*ids, start, *tokenizer.encode("assistant\n")]


def my_prompt_ids__marks_struck_out(tokenizer, messages):
    """Marks in a content were deleted. What people write stays as it is; and a mark can hide so
    that it appears when another is struck out. See “Turns, and marks that nobody can forge”."""
    text = ""
    for m in messages:
        content = m["content"].replace("<|im_start|>", "").replace("<|im_end|>", "")
        text += f"<|im_start|>{m['role']}\n{content}<|im_end|>\n"
    return tokenizer.encode(text + "<|im_start|>assistant\n", allow_special=True)


def my_prompt_ids__no_opening(tokenizer, messages):
    """The opening of the answer is missing, so the model is asked who speaks next, and may go on as
    the user. See “Exercise 16.1 · Built from parts”."""
    start, end = tokenizer.special["<|im_start|>"], tokenizer.special["<|im_end|>"]
    ids = []
    for m in messages:
        said = tokenizer.encode(f"{m['role']}\n{m['content']}")
        ids += [start, *said, end, *tokenizer.encode("\n")]
    return ids


def my_prompt_ids__no_line_break_after_a_turn(tokenizer, messages):
    """The line break after the closing mark is missing: a form that the model never read. See
    “Exercise 16.1 · Built from parts”."""
    start, end = tokenizer.special["<|im_start|>"], tokenizer.special["<|im_end|>"]
    ids = []
    for m in messages:
        ids += [start, *tokenizer.encode(f"{m['role']}\n{m['content']}"), end]
    return [*ids, start, *tokenizer.encode("assistant\n")]


def my_prompt_ids__a_blank_for_the_line_break(tokenizer, messages):
    """Between a role and its content stands a line break, not a colon or a blank. See “Turns, and
    marks that nobody can forge”."""
    start, end = tokenizer.special["<|im_start|>"], tokenizer.special["<|im_end|>"]
    ids = []
    for m in messages:
        said = tokenizer.encode(f"{m['role']}: {m['content']}")
        ids += [start, *said, end, *tokenizer.encode("\n")]
    return [*ids, start, *tokenizer.encode("assistant\n")]


def my_prompt_ids__stripped(tokenizer, messages):
    """Blanks and line breaks were cut off a content; what people wrote stays as it is. See
    “Exercise 16.1 · Built from parts”."""
    start, end = tokenizer.special["<|im_start|>"], tokenizer.special["<|im_end|>"]
    ids = []
    for m in messages:
        said = tokenizer.encode(f"{m['role']}\n{m['content'].strip()}")
        ids += [start, *said, end, *tokenizer.encode("\n")]
    return [*ids, start, *tokenizer.encode("assistant\n")]


def my_prompt_ids__only_the_last_message(tokenizer, messages):
    """Only the last message was written, and the model forgets what was said before it. See
    “Exercise 16.1 · Built from parts”."""
    start, end = tokenizer.special["<|im_start|>"], tokenizer.special["<|im_end|>"]
    said = tokenizer.encode(f"{messages[-1]['role']}\n{messages[-1]['content']}")
    opening = [start, *tokenizer.encode("assistant\n")]
    return [start, *said, end, *tokenizer.encode("\n"), *opening]


def my_prompt_ids__everybody_is_a_user(tokenizer, messages):
    """Every message was given the role of the user; each has a role of its own. See “Exercise 16.1
    · Built from parts”."""
    start, end = tokenizer.special["<|im_start|>"], tokenizer.special["<|im_end|>"]
    ids = []
    for m in messages:
        ids += [start, *tokenizer.encode(f"user\n{m['content']}"), end, *tokenizer.encode("\n")]
    return [*ids, start, *tokenizer.encode("assistant\n")]


def my_prompt_ids__ids_by_heart(tokenizer, messages):
    """The ids of the marks were written as numbers; each tokenizer has its own, in its dictionary
    special. See “Exercise 16.1 · Built from parts”."""
    start, end = 280, 281
    ids = []
    for m in messages:
        said = tokenizer.encode(f"{m['role']}\n{m['content']}")
        ids += [start, *said, end, *tokenizer.encode("\n")]
    return [*ids, start, *tokenizer.encode("assistant\n")]


def my_prompt_ids__opening_closed(tokenizer, messages):
    """The opening of the answer was closed again, like a turn that is over: the model is asked what
    comes after an empty answer. See “Exercise 16.1 · Built from parts”."""
    start, end = tokenizer.special["<|im_start|>"], tokenizer.special["<|im_end|>"]
    ids, line = [], tokenizer.encode("\n")
    for m in [*messages, {"role": "assistant", "content": ""}]:
        ids += [start, *tokenizer.encode(f"{m['role']}\n{m['content']}"), end, *line]
    return ids


def my_prompt_ids__no_opening_after_an_answer(tokenizer, messages):
    """The opening was left out because the assistant spoke last; it was asked for at the end,
    whoever spoke. See “Exercise 16.1 · Built from parts”."""
    start, end = tokenizer.special["<|im_start|>"], tokenizer.special["<|im_end|>"]
    ids = []
    for m in messages:
        said = tokenizer.encode(f"{m['role']}\n{m['content']}")
        ids += [start, *said, end, *tokenizer.encode("\n")]
    if messages[-1]["role"] == "assistant":
        return ids
    return [*ids, start, *tokenizer.encode("assistant\n")]


def my_prompt_ids__role_and_content_apart(tokenizer, messages):
    """The role and the content were encoded apart; but a line break between them may belong to one
    token with those of the content, so they are one text. See “Exercise 16.1 · Built from parts”.
    """
    start, end = tokenizer.special["<|im_start|>"], tokenizer.special["<|im_end|>"]
    line, ids = tokenizer.encode("\n"), []
    for m in messages:
        said = tokenizer.encode(m["role"]) + line + tokenizer.encode(m["content"])
        ids += [start, *said, end, *line]
    return [*ids, start, *tokenizer.encode("assistant\n")]


def my_answer_targets__not_shifted(ids, is_answer):
    """The mask was taken at the token that is read; what counts is whether the *target*, one token
    later, belongs to an answer. See “Exercise 16.2 · Which targets count”."""
    return np.where(np.array(is_answer[:-1], bool), np.array(ids[1:], int), -100)


def my_answer_targets__shifted_the_wrong_way(ids, is_answer):
    """The ids that were read stand here as targets; the target is the token that comes next. See
    “Exercise 16.2 · Which targets count”."""
    return np.where(np.array(is_answer[:-1], bool), np.array(ids[:-1], int), -100)


def my_answer_targets__read_where_next_counts(ids, is_answer):
    """The mask is right, but the targets are the tokens that are read, and so the model learns to
    repeat. See “Exercise 16.2 · Which targets count”."""
    return np.where(np.array(is_answer[1:], bool), np.array(ids[:-1], int), -100)


def my_answer_targets__all_count(ids, is_answer):
    """All targets count here, the questions too. See “Only the answer counts, by hand”."""
    return np.array(ids[1:], int)


def my_answer_targets__questions_count(ids, is_answer):
    """The mask was turned round: here only the questions count. See “Only the answer counts, by
    hand”."""
    return np.where(np.array(is_answer[1:], bool), -100, np.array(ids[1:], int))


def my_answer_targets__zero_for_no(ids, is_answer):
    """What does not count became 0, but 0 is the id of a token; -100 is none. See “Only the answer
    counts, by hand”."""
    return np.array(ids[1:], int) * np.array(is_answer[1:], bool)


def my_answer_targets__minus_one(ids, is_answer):
    """What does not count became -1; the number that cross_entropy leaves out is -100. See “Only
    the answer counts, by hand”."""
    return np.where(np.array(is_answer[1:], bool), np.array(ids[1:], int), -1)


def my_answer_targets__left_out(ids, is_answer):
    """What does not count was left out, so the targets no longer stand beside what was read; mark
    it with -100. See “Exercise 16.2 · Which targets count”."""
    return np.array([i for i, counts in zip(ids[1:], is_answer[1:]) if counts], int)


def my_answer_targets__from_the_first_answer_on(ids, is_answer):
    """Everything from the first answer on counts here; in a longer conversation the next question
    comes after it. See “Exercise 16.2 · Which targets count”."""
    began = np.cumsum(is_answer[1:]) > 0
    return np.where(began, np.array(ids[1:], int), -100)


def my_answer_targets__as_many_as_ids(ids, is_answer):
    """There are n targets here; after the last token nothing comes, so there are n - 1. See
    “Exercise 16.2 · Which targets count”."""
    return np.where(np.array(is_answer, bool), np.array(ids, int), -100)


def my_answer_targets__zero_is_false(ids, is_answer):
    """A token with the id 0 was taken for none: in Python 0 counts as false. Ask is_answer, not the
    id. See “Exercise 16.2 · Which targets count”."""
    return np.array([(y and i) or -100 for i, y in zip(ids[1:], is_answer[1:])], int)


def my_answer_targets__floats(ids, is_answer):
    """The targets are floats; they are ids, and cross_entropy asks for integers. See “Exercise 16.2
    · Which targets count”."""
    targets = np.full(len(ids) - 1, -100.0)
    mask = np.array(is_answer[1:], bool)
    targets[mask] = np.array(ids[1:])[mask]
    return targets


def my_answer_targets__the_end_does_not_count(ids, is_answer):
    """The last token of each answer was left out; it is the mark from which the model learns to
    stop. See “Only the answer counts, by hand”."""
    n = len(ids)
    last = [is_answer[i] and (i == n - 1 or not is_answer[i + 1]) for i in range(n)]
    keep = [is_answer[i] and not last[i] for i in range(1, n)]
    return np.array([i if k else -100 for i, k in zip(ids[1:], keep)], int)


def my_answer_targets__a_list(ids, is_answer):
    """The targets are right, but in a list; an array was asked for. See “Exercise 16.2 · Which
    targets count”."""
    return [i if counts else -100 for i, counts in zip(ids[1:], is_answer[1:])]


def my_interval__normal(k, n):
    """This is the usual interval, with the spread at the measured share: it passes 1, and for ten
    of ten it has no width. See “How sure is a score?”."""
    p = k / n
    half = 1.96 * math.sqrt(p * (1 - p) / n)
    return p - half, p + half


def my_interval__normal_cut(k, n):
    """This is the usual interval, cut off at 0 and 1; for ten of ten it is still sure of 100 %. See
    “How sure is a score?”."""
    p = k / n
    half = 1.96 * math.sqrt(p * (1 - p) / n)
    return max(0.0, p - half), min(1.0, p + half)


def my_interval__middle_at_the_share(k, n):
    """The width is Wilson's, but the middle is the measured share; Wilson's lies nearer to one
    half. See “How sure is a score?”."""
    z = 1.96
    half = z / (n + z**2) * math.sqrt(k * (n - k) / n + z**2 / 4)
    return k / n - half, k / n + half


def my_interval__one_spread(k, n):
    """The interval reaches one spread to either side, which two scores of three stay within; z is
    1.96. See “Exercise 16.3 · An honest score”."""
    half = math.sqrt(k * (n - k) / n + 1 / 4) / (n + 1)
    middle = (k + 1 / 2) / (n + 1)
    return middle - half, middle + half


def my_interval__z_for_its_square(k, n):
    """In some place z stands where its square belongs: n + z**2, z**2 / 2, z**2 / 4. See “How sure
    is a score?”."""
    z = 1.96
    half = z / (n + z) * math.sqrt(k * (n - k) / n + z / 4)
    middle = (k + z / 2) / (n + z)
    return middle - half, middle + half


def my_interval__no_quarter(k, n):
    """Under the root z**2 / 4 is missing: then ten of ten have an interval without width. See “How
    sure is a score?”."""
    z = 1.96
    half = z / (n + z**2) * math.sqrt(k * (n - k) / n)
    middle = (k + z**2 / 2) / (n + z**2)
    return middle - half, middle + half


def my_interval__the_higher_first(k, n):
    """The numbers are right, but the higher end stands first. See “Exercise 16.3 · An honest
    score”."""
    z = 1.96
    half = z / (n + z**2) * math.sqrt(k * (n - k) / n + z**2 / 4)
    middle = (k + z**2 / 2) / (n + z**2)
    return middle + half, middle - half


def my_interval__middle_and_half(k, n):
    """These are the middle and the distance to either side; the two ends were asked for. See
    “Exercise 16.3 · An honest score”."""
    z = 1.96
    half = z / (n + z**2) * math.sqrt(k * (n - k) / n + z**2 / 4)
    return (k + z**2 / 2) / (n + z**2), half


def my_interval__a_list(k, n):
    """The two ends are right, but in a list; a tuple was asked for. See “Exercise 16.3 · An honest
    score”."""
    z = 1.96
    half = z / (n + z**2) * math.sqrt(k * (n - k) / n + z**2 / 4)
    middle = (k + z**2 / 2) / (n + z**2)
    return [middle - half, middle + half]


def my_interval__two_spreads(k, n):
    """For z there is 2 here, a rounded 1.96: near, but not what was asked for. See “Exercise 16.3 ·
    An honest score”."""
    half = 2 / (n + 4) * math.sqrt(k * (n - k) / n + 1)
    return (k + 2) / (n + 4) - half, (k + 2) / (n + 4) + half


def my_interval__rounded_square(k, n):
    """The square of 1.96 was rounded to 3.84; it is 3.8416, and the program can square it. See
    “Exercise 16.3 · An honest score”."""
    z, z2 = 1.96, 3.84
    half = z / (n + z2) * math.sqrt(k * (n - k) / n + z2 / 4)
    middle = (k + z2 / 2) / (n + z2)
    return middle - half, middle + half


def my_merge__no_scale(weight, a, b, alpha):
    """The scale is missing: the change counts alpha over the rank. See “Exercise 16.4 · Merge”."""
    return weight + b @ a


def my_merge__alpha_alone(weight, a, b, alpha):
    """The change was multiplied by alpha, but not divided by the rank. See “Exercise 16.4 ·
    Merge”."""
    return weight + alpha * (b @ a)


def my_merge__rank_over_alpha(weight, a, b, alpha):
    """The scale was turned round: it is alpha over the rank. See “Exercise 16.4 · Merge”."""
    return weight + len(a) / alpha * (b @ a) if alpha else weight.copy()


def my_merge__over_the_inputs(weight, a, b, alpha):
    """The scale was divided by the number of inputs; the rank is the number of a's rows. See
    “Exercise 16.4 · Merge”."""
    return weight + alpha / a.shape[1] * (b @ a)


def my_merge__over_the_outputs(weight, a, b, alpha):
    """The scale was divided by the number of outputs; the rank is the number of b's columns. See
    “Exercise 16.4 · Merge”."""
    return weight + alpha / len(b) * (b @ a)


def my_merge__a_times_b(weight, a, b, alpha):
    """The factors stand in the other order: x meets a first, so it stands on the right, and the
    product b a has the shape of the weight. See “A small change needs few numbers”."""
    return weight + alpha / len(a) * (a @ b)


def my_merge__transposed(weight, a, b, alpha):
    """The change is transposed: its rows belong to the outputs, as b's do. See “A small change
    needs few numbers”."""
    return weight + alpha / len(a) * (b @ a).T


def my_merge__the_change_alone(weight, a, b, alpha):
    """This is the change without the matrix that it changes. See “Exercise 16.4 · Merge”."""
    return alpha / len(a) * (b @ a)


def my_merge__subtracted(weight, a, b, alpha):
    """The change was subtracted; that takes out of a merged matrix what was merged. See “Exercise
    16.4 · Merge”."""
    return weight - alpha / len(a) * (b @ a)


def my_merge__into_the_weight(weight, a, b, alpha):
    """The given matrix itself was changed; a new array was asked for, so that the frozen weight
    stays as it is. See “Exercise 16.4 · Merge”."""
    weight += alpha / len(a) * (b @ a)
    return weight


def my_merge__whole_scale(weight, a, b, alpha):
    """The scale was rounded down to a whole number. See “Exercise 16.4 · Merge”."""
    return weight + alpha // len(a) * (b @ a)


def my_merge__first_piece_only(weight, a, b, alpha):
    """Only the first column of b and the first row of a were multiplied; there are as many pieces
    as the rank. See “A small change needs few numbers”."""
    return weight + alpha / len(a) * np.outer(b[:, 0], a[0])


def my_merge__the_weight_where_nothing_changes(weight, a, b, alpha):
    """Where the change is zero the given matrix itself came back; whoever writes into the result
    would then write into the frozen weight. See “Exercise 16.4 · Merge”."""
    if alpha == 0 or not b.any():
        return weight
    return weight + alpha / len(a) * (b @ a)


def my_advantages__mean_of_all(rewards):
    """The mean of all answers was subtracted. An easy question is then always praised, and a hard
    one never; each row has its own mean. See “Better than what?”."""
    return rewards - np.mean(rewards)


def my_advantages__mean_of_columns(rewards):
    """The mean was taken down the columns, over different questions; the answers to one question
    stand in a row. See “Exercise 16.5 · Better than the group”."""
    return rewards - np.mean(rewards, axis=0)


def my_advantages__of_the_others(rewards):
    """The mean of the *other* answers was subtracted, a baseline too, but another: here an answer
    belongs to its group. See “Better than what?”."""
    rewards = np.asarray(rewards, float)
    n = rewards.shape[1]
    return (rewards - rewards.mean(axis=1, keepdims=True)) * (n / max(n - 1, 1))


def my_advantages__over_the_spread(rewards):
    """The result was divided by the spread of the row, as the paper on GRPO does; the exercise asks
    for the difference alone. See “Exercise 16.5 · Better than the group”."""
    rewards = np.asarray(rewards, float)
    spread = rewards.std(axis=1, keepdims=True)
    return (rewards - rewards.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)


def my_advantages__the_wrong_way_round(rewards):
    """The reward was subtracted from the mean: what is better than the group would be blamed. See
    “Better than what?”."""
    return np.mean(rewards, axis=1, keepdims=True) - rewards


def my_advantages__best_of_the_group(rewards):
    """The best reward of the row was subtracted, so no answer is ever praised; subtract the mean.
    See “Better than what?”."""
    return np.asarray(rewards, float) - np.max(rewards, axis=1, keepdims=True)


def my_advantages__share_of_the_sum(rewards):
    """The rewards were divided, not compared: none of these is negative, so no answer is blamed.
    See “Better than what?”."""
    rewards = np.asarray(rewards, float)
    total = rewards.sum(axis=1, keepdims=True)
    return rewards / np.where(total > 0, total, 1)


def my_advantages__the_rewards(rewards):
    """These are the rewards as they are, right on average, but noisy: nothing is compared. See
    “Better than what?”."""
    return np.asarray(rewards, float)


def my_advantages__one_half(rewards):
    """One half was subtracted, whatever the group did; if all are right, there is nothing to learn.
    See “Better than what?”."""
    return np.asarray(rewards, float) - 0.5


def my_advantages__integers(rewards):
    """The result kept the integers of the rewards, so each half was rounded away. See “Exercise
    16.5 · Better than the group”."""
    return (rewards - np.mean(rewards, axis=1, keepdims=True)).astype(np.int64)


def my_advantages__median(rewards):
    """The middle of the row was subtracted, its median, and not its mean. See “Exercise 16.5 ·
    Better than the group”."""
    return rewards - np.median(rewards, axis=1, keepdims=True)


def my_advantages__flat(rewards):
    """The result has lost its rows: an array of the same shape was asked for. See “Exercise 16.5 ·
    Better than the group”."""
    return (rewards - np.mean(rewards, axis=1, keepdims=True)).ravel()


def my_policy_gradient__the_wrong_sign(logits, ids, advantages):
    """This is the gradient of the mean log-probability itself; the loss has a minus, for steps go
    against a gradient. See “Exercise 16.6 · The policy's gradient”."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return -p * np.asarray(advantages)[:, None] / len(ids)


def my_policy_gradient__no_mean(logits, ids, advantages):
    """The loss is a mean over the tokens; divide by their number. See “Exercise 16.6 · The policy's
    gradient”."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return p * np.asarray(advantages)[:, None]


def my_policy_gradient__no_advantage(logits, ids, advantages):
    """The advantages were left out: this makes every drawn token likelier, good or bad. See “One
    draw at a time”."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return p / len(ids)


def my_policy_gradient__only_the_drawn(logits, ids, advantages):
    """Only the drawn token's logit has a gradient here. The softmax moves all the others too, for
    probabilities sum to 1. See “A grade is enough”."""
    grad = np.zeros_like(logits)
    grad[np.arange(len(ids)), ids] = -np.asarray(advantages)
    return grad / len(ids)


def my_policy_gradient__only_the_drawn_row_entry(logits, ids, advantages):
    """The drawn token has its p - 1, but the others were left at zero; they have their p. See “A
    grade is enough”."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    grad, rows = np.zeros_like(logits), np.arange(len(ids))
    grad[rows, ids] = (p[rows, ids] - 1) * np.asarray(advantages)
    return grad / len(ids)


def my_policy_gradient__times_p(logits, ids, advantages):
    """Each token was weighted with its probability once more. The draw has done that already: what
    is likely comes more often. See “One draw at a time”."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(ids))
    drawn = p[rows, ids].copy()
    p[rows, ids] -= 1
    return p * (np.asarray(advantages) * drawn)[:, None] / len(ids)


def my_policy_gradient__sizes_of_advantages(logits, ids, advantages):
    """The signs of the advantages were lost: a bad answer would become likelier too. See “Better
    than what?”."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return p * np.abs(advantages)[:, None] / len(ids)


def my_policy_gradient__only_the_good(logits, ids, advantages):
    """Answers below the mean were left out. They teach as well: what they said shall become less
    likely. See “Better than what?”."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return p * np.maximum(advantages, 0)[:, None] / len(ids)


def my_policy_gradient__over_the_advantages(logits, ids, advantages):
    """The sum was divided by the sizes of the advantages; the loss is a mean over N tokens. See
    “Exercise 16.6 · The policy's gradient”."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    total = np.abs(advantages).sum()
    return p * np.asarray(advantages)[:, None] / (total if total else 1)


def my_policy_gradient__overflow(logits, ids, advantages):
    """The exponential of a large logit is infinite, and inf / inf is no number; subtract the row's
    maximum first. See “Log-sum-exp, and why exp alone overflows” in chapter 04."""
    with np.errstate(all="ignore"):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return p * np.asarray(advantages)[:, None] / len(ids)


def my_policy_gradient__softmax_down_the_columns(logits, ids, advantages):
    """The softmax was taken down the columns; each row is a distribution over the vocabulary. See
    “Exercise 16.6 · The policy's gradient”."""
    p = np.exp(logits - logits.max(axis=0, keepdims=True))
    p /= p.sum(axis=0, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return p * np.asarray(advantages)[:, None] / len(ids)


def my_policy_gradient__advantages_as_columns(logits, ids, advantages):
    """The advantages were laid along the vocabulary; each belongs to a row, so give it an axis of
    size 1 behind. See “Exercise 16.6 · The policy's gradient”."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return p * np.asarray(advantages) / len(ids)


def my_policy_gradient__all_rows(logits, ids, advantages):
    """The 1 was subtracted in whole columns: p[:, ids] takes the drawn columns of all rows; give
    NumPy a row for each id. See “The gradient: softmax minus one-hot” in chapter 04."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[:, ids] -= 1
    return p * np.asarray(advantages)[:, None] / len(ids)


def my_policy_gradient__in_the_logits(logits, ids, advantages):
    """The given logits were changed: an array that is passed in belongs to whoever passes it. See
    “Exercise 16.6 · The policy's gradient”."""
    logits -= logits.max(axis=1, keepdims=True)
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return p * np.asarray(advantages)[:, None] / len(ids)


def my_policy_gradient__mean_advantage(logits, ids, advantages):
    """The mean of the advantages was used for all rows, and within a group that is zero; each row
    has its own. See “Exercise 16.6 · The policy's gradient”."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return p * np.mean(advantages) / len(ids)


def my_policy_gradient__clipped(logits, ids, advantages):
    """The logits were cut off at 50, so that two large ones become equal; only their differences
    count, and none of these may be lost: subtract the row's maximum. See “Log-sum-exp, and why exp
    alone overflows” in chapter 04."""
    p = np.exp(np.clip(logits, -50, 50))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return p * np.asarray(advantages)[:, None] / len(ids)


def my_policy_gradient__the_maximum_of_all(logits, ids, advantages):
    """The maximum of all rows was subtracted; a row far below it becomes 0 / 0. Each row has its
    own. See “Log-sum-exp, and why exp alone overflows” in chapter 04."""
    with np.errstate(all="ignore"):
        p = np.exp(logits - logits.max())
        p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(ids)), ids] -= 1
    return p * np.asarray(advantages)[:, None] / len(ids)
