"""Wrong attempts that vary a described one, and right answers, at the exercises of chapter 16."""

import numpy as np


def my_prompt_ids__as_one_text__heldout_list(tokenizer, messages):
    lines = []
    for message in messages:
        lines.append("<|im_start|>" + message["role"])
        lines.append(message["content"] + "<|im_end|>")
    lines.append("<|im_start|>assistant")
    return tokenizer.encode("\n".join(lines) + "\n", allow_special=True)


def my_prompt_ids__no_opening__heldout_loop(tokenizer, messages):
    out = []
    for message in messages:
        out.append(tokenizer.special["<|im_start|>"])
        out.extend(tokenizer.encode(message["role"] + "\n" + message["content"]))
        out.append(tokenizer.special["<|im_end|>"])
        out.extend(tokenizer.encode("\n"))
    return out


def my_prompt_ids__correct_sum(tokenizer, messages):
    begin, end = tokenizer.special["<|im_start|>"], tokenizer.special["<|im_end|>"]
    line = tokenizer.encode("\n")
    turns = [
        [begin] + tokenizer.encode("\n".join([m["role"], m["content"]])) + [end] + line
        for m in messages
    ]
    return sum(turns, []) + [begin] + tokenizer.encode("assistant\n")


def my_answer_targets__not_shifted__heldout_loop(ids, is_answer):
    targets = []
    for t in range(len(ids) - 1):
        targets.append(ids[t + 1] if is_answer[t] else -100)
    return np.array(targets, dtype=np.int64)


def my_answer_targets__zero_for_no__heldout_where(ids, is_answer):
    return np.where(np.asarray(is_answer[1:], bool), np.asarray(ids[1:], np.int64), 0)


def my_answer_targets__correct_loop(ids, is_answer):
    targets = np.full(len(ids) - 1, -100)
    for t in range(len(ids) - 1):
        if is_answer[t + 1]:
            targets[t] = ids[t + 1]
    return targets


def my_answer_targets__correct_zip(ids, is_answer):
    pairs = list(zip(ids, is_answer))[1:]
    return np.array([i if yes else -100 for i, yes in pairs], dtype=np.int32)


def my_interval__normal__heldout_names(k, n):
    share = k / n
    sigma = np.sqrt(share - share**2) / np.sqrt(n)
    return (share - 1.96 * sigma, share + 1.96 * sigma)


def my_interval__middle_at_the_share__heldout_names(k, n):
    p, z = k / n, 1.96
    side = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return (p - side, p + side)


def my_interval__correct_shares(k, n):
    p, z = k / n, 1.96
    side = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    below = 1 + z * z / n
    return ((p + z * z / (2 * n) - side) / below, (p + z * z / (2 * n) + side) / below)


def my_merge__alpha_alone__heldout_einsum(weight, a, b, alpha):
    return np.einsum("or,ri->oi", alpha * b, a) + weight


def my_merge__no_scale__heldout_dot(weight, a, b, alpha):
    return np.dot(b, a) + weight


def my_merge__correct_pieces(weight, a, b, alpha):
    rank = b.shape[1]
    merged = weight.copy()
    for column, row in zip(b.T, a):
        merged += np.outer(column, row) * (alpha / rank)
    return merged


def my_advantages__mean_of_all__heldout_sum(rewards):
    rewards = np.array(rewards, dtype=float)
    return rewards - rewards.sum() / max(rewards.size, 1)


def my_advantages__over_the_spread__heldout_rows(rewards):
    out = np.zeros(rewards.shape)
    for i, row in enumerate(rewards):
        d = row - np.mean(row)
        out[i] = d / np.sqrt(np.mean(d**2)) if d.any() else d
    return out


def my_advantages__correct_rows(rewards):
    out = np.zeros(rewards.shape)
    for i, row in enumerate(rewards):
        out[i] = row - sum(row) / len(row)
    return out


def my_policy_gradient__the_wrong_sign__heldout_onehot(logits, ids, advantages):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    hot = np.eye(logits.shape[1])[ids]
    return (hot - e / e.sum(axis=-1, keepdims=True)) * advantages.reshape(-1, 1) / len(hot)


def my_policy_gradient__no_mean__heldout_onehot(logits, ids, advantages):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    hot = np.eye(logits.shape[1])[ids]
    return (e / e.sum(axis=-1, keepdims=True) - hot) * advantages.reshape(-1, 1)


def my_policy_gradient__correct_onehot(logits, ids, advantages):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    hot = np.eye(logits.shape[1])[ids]
    return advantages[:, None] * (e / e.sum(axis=-1, keepdims=True) - hot) / advantages.size


def my_policy_gradient__correct_loop(logits, ids, advantages):
    grad = np.zeros(logits.shape)
    for n in range(len(ids)):
        e = np.exp(logits[n] - np.max(logits[n]))
        grad[n] = e / np.sum(e)
        grad[n, ids[n]] -= 1
        grad[n] *= advantages[n] / len(ids)
    return grad


def my_prompt_ids__role_and_content_apart__heldout_head(tokenizer, messages):
    mark, out = tokenizer.special, []
    for message in messages:
        out.append(mark["<|im_start|>"])
        out += tokenizer.encode(message["role"] + "\n")
        out += tokenizer.encode(message["content"])
        out.append(mark["<|im_end|>"])
        out += tokenizer.encode("\n")
    return out + [mark["<|im_start|>"]] + tokenizer.encode("assistant\n")


def my_policy_gradient__clipped__heldout_bounds(logits, ids, advantages):
    weights = np.exp(np.maximum(np.minimum(logits, 50.0), -50.0))
    gradient = weights / weights.sum(axis=1)[:, None]
    for n, i in enumerate(ids):
        gradient[n, i] -= 1
        gradient[n] *= advantages[n] / len(ids)
    return gradient
