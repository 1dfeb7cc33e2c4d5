"""Wrong attempts that vary a described one, and right answers, at the exercises of chapter 17."""

import numpy as np

from minigrad.distributed import share_out


def my_weighted_sum__mean_of_means__heldout_loop(gradients, counts):
    total, shares = 0, 0
    for gradient, count in zip(gradients, counts):
        if count > 0:
            total, shares = total + gradient, shares + 1
    return total / shares


def my_weighted_sum__nan_enters__heldout_average(gradients, counts):
    return np.average(np.stack(gradients), axis=0, weights=counts)


def my_weighted_sum__correct_average(gradients, counts):
    used = [i for i, count in enumerate(counts) if count > 0]
    weights = [counts[i] for i in used]
    return np.average([gradients[i] for i in used], axis=0, weights=weights)


def my_message_time__bits_taken_for_bytes__heldout_rate(n_numbers, n_messages, latency, gigabits):
    one = n_numbers * 4 / max(n_messages, 1) / (gigabits * 10**9)
    return n_messages * (latency + one)


def my_message_time__one_latency__heldout_nbytes(n_numbers, n_messages, latency, gigabits):
    bytes_a_second = gigabits * 1e9 / 8
    return n_numbers * 4 / bytes_a_second + latency


def my_message_time__correct_bytes(n_numbers, n_messages, latency, gigabits):
    bytes_a_second = gigabits * 10**9 / 8
    return latency * n_messages + n_numbers * np.dtype(np.float32).itemsize / bytes_a_second


def my_ring_allreduce__adds_in_all_steps__heldout_vectors(held):
    n = len(held)
    states, ranks = [held.copy()], np.arange(n)
    for step in range(2 * n - 2):
        chunks = (ranks - step) % n
        after = states[-1].copy()
        after[(ranks + 1) % n, chunks] += states[-1][ranks, chunks]
        states.append(after)
    return np.array(states)


def my_ring_allreduce__to_the_left__heldout_receiver(held):
    n = len(held)
    states = [held.copy()]
    for step in range(2 * n - 2):
        after = states[-1].copy()
        for me in range(n):
            sender = (me + 1) % n
            chunk = (sender - step) % n
            arrived = states[-1][sender, chunk]
            after[me, chunk] = arrived + after[me, chunk] if step < n - 1 else arrived
        states.append(after)
    return np.array(states)


def my_ring_allreduce__correct_vectors(held):
    n = len(held)
    out, ranks = np.empty((2 * n - 1, *held.shape), held.dtype), np.arange(n)
    out[0] = held
    for step in range(2 * n - 2):
        chunks = (ranks - step) % n
        out[step + 1] = out[step]
        arrived = out[step][ranks, chunks]
        if step < n - 1:
            out[step + 1][(ranks + 1) % n, chunks] += arrived
        else:
            out[step + 1][(ranks + 1) % n, chunks] = arrived
    return out


def my_ring_allreduce__correct_receiver(held):
    n, states = len(held), [held]
    for step in range(2 * (n - 1)):
        after = states[-1].copy()
        for me in range(n):
            chunk = (me - 1 - step) % n
            arrived = states[-1][me - 1, chunk]
            after[me, chunk] = arrived + after[me, chunk] * (step < n - 1)
        states.append(after)
    return np.array(states)


def my_buckets__last_one_lost__heldout_yield(sizes, least):
    found, start = [], 0
    for end in range(1, len(sizes) + 1):
        if sum(sizes[start:end]) >= least:
            found.append(sizes[start:end])
            start = end
    return found


def my_buckets__never_more_than_least__heldout_last(sizes, least):
    found = []
    for size in sizes:
        if found and sum(found[-1]) + size <= least:
            found[-1].append(size)
        else:
            found.append([size])
    return found


def my_buckets__correct_last(sizes, least):
    found = []
    for size in sizes:
        if not found or sum(found[-1]) >= least:
            found.append([])
        found[-1].append(size)
    return found


def my_share_out__like_cards__heldout_slices(sizes, n):
    order = np.argsort([-size for size in sizes], kind="stable").tolist()
    who = {}
    for process in range(n):
        for place in order[process::n]:
            who[place] = process
    return [who[place] for place in range(len(sizes))]


def my_share_out__in_their_order__heldout_argmin(sizes, n):
    sums, result = np.zeros(n), []
    for size in sizes:
        process = int(np.argmin(sums))
        sums[process] += size
        result.append(process)
    return result


def my_share_out__correct_heap(sizes, n):
    sums, result = [(0, process) for process in range(n)], {}
    order = sorted(enumerate(sizes), key=lambda pair: (-pair[1], pair[0]))
    for place, size in order:
        sums.sort()
        total, process = sums[0]
        sums[0] = (total + size, process)
        result[place] = process
    return [result[place] for place in sorted(result)]


def my_memory__all_divided__heldout_numpy(sizes, n):
    own = np.zeros(n, int)
    np.add.at(own, np.array(share_out(sizes, n), int), np.array(sizes, int))
    return (own * 16).tolist()


def my_memory__one_moment__heldout_list(sizes, n):
    keepers = share_out(sizes, n)
    everything = sum(sizes) * 4 * 2
    return [everything + 4 * sum(s for s, k in zip(sizes, keepers) if k == p) for p in range(n)]


def my_memory__correct_numpy(sizes, n):
    keepers = np.array(share_out(sizes, n), int)
    own = np.bincount(keepers, weights=np.array(sizes, float), minlength=n)
    return [int(8 * (sum(sizes) + mine)) for mine in own]
