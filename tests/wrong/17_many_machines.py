"""Plausible wrong attempts at the exercises of chapter 17."""

import numpy as np

from minigrad.distributed import share_out


def my_weighted_sum__mean_of_means(gradients, counts):
    """The means were averaged as if all shares were equal; a share of one sequence then counts as
    much as one of two. See “Exercise 17.1 · Unequal shares”."""
    used = [g for g, count in zip(gradients, counts) if count]
    return np.mean(used, axis=0)


def my_weighted_sum__nan_enters(gradients, counts):
    """A share without targets was given the weight 0, but 0 times nan is nan. It must be left out.
    See “Exercise 17.1 · Unequal shares”."""
    return sum(g * count / sum(counts) for g, count in zip(gradients, counts))


def my_weighted_sum__not_divided(gradients, counts):
    """The sums of the shares were added, and not divided by the number of all targets: a mean was
    asked for. See “Three machines, by hand”."""
    return sum(g * count for g, count in zip(gradients, counts) if count)


def my_weighted_sum__plain_sum(gradients, counts):
    """The means were added as they are, as if each were over the whole batch; a share's mean counts
    as much as it has targets. See “Three machines, by hand”."""
    return sum(g for g, count in zip(gradients, counts) if count)


def my_weighted_sum__divided_by_shares(gradients, counts):
    """The sums of the shares were divided by the number of shares, not of targets. See “Three
    machines, by hand”."""
    used = [(g, count) for g, count in zip(gradients, counts) if count]
    return sum(g * count for g, count in used) / len(used)


def my_weighted_sum__gradients_changed(gradients, counts):
    """The sum is right, but the first of the given gradients was used to add up in: += changes the
    array of somebody else. See “Exercise 17.1 · Unequal shares”."""
    total = None
    for g, count in zip(gradients, counts):
        if count:
            g *= count / sum(counts)
            total = g if total is None else total + g
    return total


def my_weighted_sum__nan_is_zero(gradients, counts):
    """A mean of nothing was turned into 0, but its share still counts as one target; the whole is
    the number of the targets that there are. See “Exercise 17.1 · Unequal shares”."""
    filled = [np.nan_to_num(g) for g in gradients]
    return sum(g * max(count, 1) for g, count in zip(filled, counts)) / sum(
        max(count, 1) for count in counts
    )


def my_message_time__bits_taken_for_bytes(n_numbers, n_messages, latency, gigabits):
    """Bytes were divided by bits a second; networks count bits, and a byte has eight. See “What a
    message costs”."""
    return n_messages * latency + 4 * n_numbers / (gigabits * 1e9)


def my_message_time__one_latency(n_numbers, n_messages, latency, gigabits):
    """The latency was paid once; every message pays it. See “What a message costs”."""
    return latency + 32 * n_numbers / (gigabits * 1e9)


def my_message_time__all_numbers_in_each(n_numbers, n_messages, latency, gigabits):
    """All numbers were sent in each message; they are divided among the messages. See “Exercise
    17.2 · The price of messages”."""
    return n_messages * (latency + 32 * n_numbers / (gigabits * 1e9))


def my_message_time__one_byte_each(n_numbers, n_messages, latency, gigabits):
    """A number was counted as one byte; in float32 it has four. See “Exercise 17.2 · The price of
    messages”."""
    return n_messages * latency + 8 * n_numbers / (gigabits * 1e9)


def my_message_time__float64(n_numbers, n_messages, latency, gigabits):
    """A number was counted as eight bytes; in float32 it has four. See “Exercise 17.2 · The price
    of messages”."""
    return n_messages * latency + 64 * n_numbers / (gigabits * 1e9)


def my_message_time__latency_instead(n_numbers, n_messages, latency, gigabits):
    """The larger of the two was taken; a message waits for its latency first, and then its bytes
    pass: they add up. See “What a message costs”."""
    return max(n_messages * latency, 32 * n_numbers / (gigabits * 1e9))


def my_message_time__giga_forgotten(n_numbers, n_messages, latency, gigabits):
    """The bandwidth was taken for bits a second; it is given in thousand million of them. See
    “Exercise 17.2 · The price of messages”."""
    return n_messages * latency + 32 * n_numbers / gigabits


def my_ring_allreduce__adds_in_all_steps(held):
    """Complete chunks were added to what stood there in the last steps; they must take its place.
    See “The ring”."""
    n, states = len(held), [np.array(held)]
    for step in range(2 * (n - 1)):
        now = states[-1].copy()
        for r in range(n):
            now[(r + 1) % n, (r - step) % n] += states[-1][r, (r - step) % n]
        states.append(now)
    return np.stack(states)


def my_ring_allreduce__sum_at_once(held):
    """The sum is right, but no message brought it: what was asked for are the states after each of
    the steps, in which a machine receives one chunk. See “The ring”."""
    n = len(held)
    total = np.broadcast_to(held.sum(axis=0), held.shape)
    return np.stack([held, *[total] * (2 * (n - 1))])


def my_ring_allreduce__same_chunk_always(held):
    """Each machine sent the chunk of its own number in every step; it must send on what it has just
    received. See “The ring”."""
    n, states = len(held), [np.array(held)]
    for step in range(2 * (n - 1)):
        now = states[-1].copy()
        for r in range(n):
            if step < n - 1:
                now[(r + 1) % n, r] += states[-1][r, r]
            else:
                now[(r + 1) % n, r] = states[-1][r, r]
        states.append(now)
    return np.stack(states)


def my_ring_allreduce__chunks_go_up(held):
    """The chunk's number grew with the steps, r + s; what a machine has just received has the
    number r − s. See “The ring”."""
    n, states = len(held), [np.array(held)]
    for step in range(2 * (n - 1)):
        now = states[-1].copy()
        for r in range(n):
            chunk = (r + step) % n
            if step < n - 1:
                now[(r + 1) % n, chunk] += states[-1][r, chunk]
            else:
                now[(r + 1) % n, chunk] = states[-1][r, chunk]
        states.append(now)
    return np.stack(states)


def my_ring_allreduce__to_the_left(held):
    """Messages went to the machine before; they go to the next, r + 1. See “The ring”."""
    n, states = len(held), [np.array(held)]
    for step in range(2 * (n - 1)):
        now = states[-1].copy()
        for r in range(n):
            chunk = (r - step) % n
            if step < n - 1:
                now[(r - 1) % n, chunk] += states[-1][r, chunk]
            else:
                now[(r - 1) % n, chunk] = states[-1][r, chunk]
        states.append(now)
    return np.stack(states)


def my_ring_allreduce__stops_halfway(held):
    """After the first n − 1 steps each machine has one complete chunk only; the other n − 1 steps
    bring it the rest. See “The ring”."""
    n, states = len(held), [np.array(held)]
    for step in range(n - 1):
        now = states[-1].copy()
        for r in range(n):
            now[(r + 1) % n, (r - step) % n] += states[-1][r, (r - step) % n]
        states.append(now)
    return np.stack(states)


def my_ring_allreduce__without_the_first_state(held):
    """The states begin after the first step; the first one is what the machines hold at the start.
    See “Exercise 17.3 · The ring”."""
    n, states = len(held), [np.array(held)]
    for step in range(2 * (n - 1)):
        now = states[-1].copy()
        for r in range(n):
            chunk = (r - step) % n
            if step < n - 1:
                now[(r + 1) % n, chunk] += states[-1][r, chunk]
            else:
                now[(r + 1) % n, chunk] = states[-1][r, chunk]
        states.append(now)
    return np.stack(states[1:] or states)


def my_ring_allreduce__all_states_are_the_last(held):
    """One array was put into the list again and again, and changed afterwards: all states show the
    end. Each needs a copy of its own. See “Exercise 17.3 · The ring”."""
    n, now = len(held), np.array(held)
    states = [now]
    for step in range(2 * (n - 1)):
        before = now.copy()
        for r in range(n):
            chunk = (r - step) % n
            if step < n - 1:
                now[(r + 1) % n, chunk] += before[r, chunk]
            else:
                now[(r + 1) % n, chunk] = before[r, chunk]
        states.append(now)
    return np.stack(states)


def my_ring_allreduce__held_changed(held):
    """The states are right, but the first machines' own array was changed on the way: `held` must
    stay as it was given. See “Exercise 17.3 · The ring”."""
    n, states = len(held), [np.array(held)]
    for step in range(2 * (n - 1)):
        before = held.copy()
        for r in range(n):
            chunk = (r - step) % n
            if step < n - 1:
                held[(r + 1) % n, chunk] += before[r, chunk]
            else:
                held[(r + 1) % n, chunk] = before[r, chunk]
        states.append(held.copy())
    return np.stack(states)


def my_ring_allreduce__replaces_too_early(held):
    """One of the steps that should add replaced already: n − 1 steps add, so those before number n
    − 1, and not n − 2. See “The ring”."""
    n, states = len(held), [np.array(held)]
    for step in range(2 * (n - 1)):
        now = states[-1].copy()
        for r in range(n):
            chunk = (r - step) % n
            if step < n - 2:
                now[(r + 1) % n, chunk] += states[-1][r, chunk]
            else:
                now[(r + 1) % n, chunk] = states[-1][r, chunk]
        states.append(now)
    return np.stack(states)


def my_buckets__last_one_lost(sizes, least):
    """What was left at the end was never sent; it makes the last bucket, however little it is. See
    “Buckets, while the backward pass goes on”."""
    buckets, filling = [], []
    for size in sizes:
        filling.append(size)
        if sum(filling) >= least:
            buckets.append(filling)
            filling = []
    return buckets


def my_buckets__never_more_than_least(sizes, least):
    """A bucket was closed before it would exceed `least`, as if that were a limit; it is what a
    message must have at least. See “Exercise 17.4 · Buckets”."""
    buckets, filling = [], []
    for size in sizes:
        if filling and sum(filling) + size > least:
            buckets.append(filling)
            filling = []
        filling.append(size)
    return [*buckets, filling] if filling else buckets


def my_buckets__more_than_least(sizes, least):
    """A bucket was closed only when it had more than `least`; exactly as much is enough. See
    “Exercise 17.4 · Buckets”."""
    buckets, filling = [], []
    for size in sizes:
        filling.append(size)
        if sum(filling) > least:
            buckets.append(filling)
            filling = []
    return [*buckets, filling] if filling else buckets


def my_buckets__an_empty_one_at_the_end(sizes, least):
    """A last bucket was made even where nothing was left: an empty message has a price too. See
    “Exercise 17.4 · Buckets”."""
    buckets, filling = [], []
    for size in sizes:
        filling.append(size)
        if sum(filling) >= least:
            buckets.append(filling)
            filling = []
    return [*buckets, filling]


def my_buckets__counts_gradients(sizes, least):
    """A bucket was full after so many gradients; what counts is the sum of their sizes. See
    “Exercise 17.4 · Buckets”."""
    return [list(sizes[i : i + least]) for i in range(0, len(sizes), least)]


def my_buckets__largest_first(sizes, least):
    """The sizes were sorted; but gradients become known in the order of the backward pass, and are
    sent as they come. See “Buckets, while the backward pass goes on”."""
    buckets, filling = [], []
    for size in sorted(sizes, reverse=True):
        filling.append(size)
        if sum(filling) >= least:
            buckets.append(filling)
            filling = []
    return [*buckets, filling] if filling else buckets


def my_buckets__sum_never_begins_anew(sizes, least):
    """The sum went on after a bucket was closed, so that all later ones are closed at once. See
    “Exercise 17.4 · Buckets”."""
    buckets, filling, total = [], [], 0
    for size in sizes:
        filling.append(size)
        total += size
        if total >= least:
            buckets.append(filling)
            filling = []
    return [*buckets, filling] if filling else buckets


def my_share_out__in_their_order(sizes, n):
    """They were given away in the order in which they stand; the largest goes first, or a large one
    at the end has no place left. See “Who remembers what”."""
    load, who = [0] * n, []
    for size in sizes:
        who.append(load.index(min(load)))
        load[who[-1]] += size
    return who


def my_share_out__like_cards(sizes, n):
    """They were dealt out in turns; each goes to the process with the smallest sum so far. See “Who
    remembers what”."""
    who = [0] * len(sizes)
    for turn, i in enumerate(sorted(range(len(sizes)), key=lambda i: -sizes[i])):
        who[i] = turn % n
    return who


def my_share_out__in_sorted_order(sizes, n):
    """The rule is right, but the answer stands in the order of the sorted sizes, not of the given
    ones: sort the places, and note each answer at its place. See “Exercise 17.5 · Who gets what”.
    """
    load, who = [0] * n, []
    for size in sorted(sizes, reverse=True):
        who.append(load.index(min(load)))
        load[who[-1]] += size
    return who


def my_share_out__smallest_first(sizes, n):
    """The smallest were given away first, so that the largest comes last and makes one sum too
    large. See “Who remembers what”."""
    load, who = [0] * n, [0] * len(sizes)
    for i in sorted(range(len(sizes)), key=lambda i: sizes[i]):
        who[i] = load.index(min(load))
        load[who[i]] += sizes[i]
    return who


def my_share_out__fewest_pieces(sizes, n):
    """Each went to the process with the fewest pieces; their sizes count, not their number. See
    “Who remembers what”."""
    load, who = [0] * n, [0] * len(sizes)
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        who[i] = load.index(min(load))
        load[who[i]] += 1
    return who


def my_share_out__last_of_equal_sums(sizes, n):
    """Of processes with equal sums the last one was taken; it should be the one with the lowest
    number. See “Exercise 17.5 · Who gets what”."""
    load, who = [0] * n, [0] * len(sizes)
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        who[i] = max(k for k in range(n) if load[k] == min(load))
        load[who[i]] += sizes[i]
    return who


def my_share_out__last_of_equal_sizes(sizes, n):
    """Of equal sizes the last was given away first: a list that was sorted and then turned round
    has them in that order. See “Exercise 17.5 · Who gets what”."""
    load, who = [0] * n, [0] * len(sizes)
    for i in sorted(range(len(sizes)), key=lambda i: sizes[i])[::-1]:
        who[i] = load.index(min(load))
        load[who[i]] += sizes[i]
    return who


def my_share_out__sizes_sorted_in_place(sizes, n):
    """The given list was sorted itself: `sort` changes it, and nobody knows any more which piece
    stood where. See “Exercise 17.5 · Who gets what”."""
    sizes.sort(reverse=True)
    load, who = [0] * n, []
    for size in sizes:
        who.append(load.index(min(load)))
        load[who[-1]] += size
    return who


def my_memory__all_divided(sizes, n):
    """Weights and gradients were divided too; every process has all of these, for it computes with
    the whole model. See “Who remembers what”."""
    own = [0] * n
    for size, who in zip(sizes, share_out(sizes, n)):
        own[who] += size
    return [16 * mine for mine in own]


def my_memory__nothing_divided(sizes, n):
    """Every process was given all moments; it keeps those of its own pieces only. See “Who
    remembers what”."""
    return [16 * sum(sizes)] * n


def my_memory__equal_shares(sizes, n):
    """The moments were divided evenly; but pieces stay whole, and who has more of them needs more.
    See “Exercise 17.6 · Memory, process by process”."""
    return [8 * sum(sizes) + 8 * sum(sizes) // n] * n


def my_memory__one_moment(sizes, n):
    """One moment was counted; AdamW has two, of 4 bytes each. See “Who remembers what”."""
    own = [0] * n
    for size, who in zip(sizes, share_out(sizes, n)):
        own[who] += size
    return [8 * sum(sizes) + 4 * mine for mine in own]


def my_memory__without_gradients(sizes, n):
    """The gradients were forgotten: 4 bytes for each parameter, in every process. See “Who
    remembers what”."""
    own = [0] * n
    for size, who in zip(sizes, share_out(sizes, n)):
        own[who] += size
    return [4 * sum(sizes) + 8 * mine for mine in own]


def my_memory__numbers_not_bytes(sizes, n):
    """The numbers were counted, and not their bytes: one in float32 has 4. See “Who remembers
    what”."""
    own = [0] * n
    for size, who in zip(sizes, share_out(sizes, n)):
        own[who] += size
    return [2 * sum(sizes) + 2 * mine for mine in own]


def my_memory__in_turns(sizes, n):
    """The pieces were dealt out in turns; `share_out` gives each to who has least. See “Exercise
    17.6 · Memory, process by process”."""
    return [8 * sum(sizes) + 8 * sum(sizes[rank::n]) for rank in range(n)]
