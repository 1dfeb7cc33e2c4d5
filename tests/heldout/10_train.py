"""Attempts at chapter 10 that nobody has met: known mistakes and right answers, written anew."""

from math import inf, isnan

import numpy as np

from minigrad.optim import clip_grad_norm
from minigrad.tensor import no_grad


def my_step_in_parts__sums_the_gradients__heldout_mean_at_the_end(model, optimizer, parts, limit):
    optimizer.zero_grad()
    losses = []
    for x, y in parts:
        _, loss = model(x, y)
        loss.backward()
        losses.append(loss.item())
    clip_grad_norm(model.parameters(), limit)
    optimizer.step()
    return float(np.mean(losses))


def my_step_in_parts__gradients_are_cleared_for_each_part__heldout_model(
    model, optimizer, parts, max_norm
):
    k, mean = len(parts), 0.0
    for part in parts:
        model.zero_grad()
        loss = model(*part)[1]
        (loss * (1 / k)).backward()
        mean += loss.item() / k
    clip_grad_norm(list(optimizer.parameters()), max_norm)
    optimizer.step()
    return mean


def my_step_in_parts__step_for_each_part__heldout_undivided_loss(model, optimizer, parts, max_norm):
    losses = []
    optimizer.zero_grad()
    for idx, targets in parts:
        loss = model(idx, targets)[1]
        (loss / len(parts)).backward()
        clip_grad_norm(optimizer.parameters(), max_norm)
        optimizer.step()
        losses += [loss.item()]
    return sum(losses) / len(losses)


def my_step_in_parts__returns_the_loss_of_the_last_part__heldout_scaled(
    model, optimizer, parts, max_norm
):
    optimizer.zero_grad()
    for i in range(len(parts)):
        idx, targets = parts[i]
        loss = model(idx, targets)[1] * (1 / len(parts))
        loss.backward()
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return loss.item() * len(parts)


def my_step_in_parts__records_the_whole_batch_at_once__heldout_sum(
    model, optimizer, parts, max_norm
):
    optimizer.zero_grad()
    mean = sum(model(x, y)[1] * (1 / len(parts)) for x, y in parts)
    mean.backward()
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return float(mean.item())


def my_step_in_parts__correct_divides_the_gradients_at_the_end(model, optimizer, parts, max_norm):
    optimizer.zero_grad()
    losses = []
    for idx, targets in parts:
        loss = model(idx, targets)[1]
        loss.backward()
        losses.append(loss.item())
    for p in optimizer.parameters():
        p.grad /= len(parts)
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return sum(losses) / len(losses)


def my_step_in_parts__correct_clips_the_sum_further_up(model, optimizer, parts, max_norm):
    n, mean = len(parts), 0.0
    for p in optimizer.parameters():
        p.grad = None
    for part in parts:
        loss = model(*part)[1] * (1 / n)
        loss.backward()
        mean += loss.item()
    clip_grad_norm(model.parameters(), max_norm)
    optimizer.step()
    return mean


def my_validation_loss__plain_mean_of_the_batches__heldout_count(model, idx, targets, batch_size):
    mode = model.training
    total, n = 0.0, 0
    model.train(False)
    with no_grad():
        start = 0
        while start < len(idx):
            total += model(idx[start : start + batch_size], targets[start : start + batch_size])[
                1
            ].item()
            n += 1
            start += batch_size
    model.train(mode)
    return total / n


def my_validation_loss__stays_in_evaluation_mode__heldout_train_false(
    model, idx, targets, batch_size
):
    sums = []
    with no_grad():
        model.train(False)
        for start in range(0, len(targets), batch_size):
            end = min(start + batch_size, len(targets))
            sums.append((end - start) * model(idx[start:end], targets[start:end])[1].item())
    return sum(sums) / len(targets)


def my_validation_loss__runs_in_training_mode__heldout_splits(model, idx, targets, batch_size):
    cuts = range(batch_size, len(idx), batch_size)
    total = 0.0
    with no_grad():
        for x, y in zip(np.split(idx, cuts), np.split(targets, cuts)):
            total += float(model(x, y)[1].data) * len(y)
    return total / len(idx)


def my_validation_loss__correct_splits(model, idx, targets, batch_size):
    cuts = range(batch_size, len(idx), batch_size)
    mode = model.training
    model.eval()
    with no_grad():
        batches = zip(np.split(idx, cuts), np.split(targets, cuts))
        losses = [(model(x, y)[1].item(), len(x)) for x, y in batches]
    model.train(mode)
    return float(np.average([loss for loss, _ in losses], weights=[n for _, n in losses]))


def my_validation_loss__correct_puts_the_mode_back_whatever_happens(
    model, idx, targets, batch_size
):
    total, mode = 0.0, model.training
    model.eval()
    try:
        for i in range(0, len(idx), batch_size):
            y = targets[i : i + batch_size]
            with no_grad():
                total += model(idx[i : i + batch_size], y)[1].item() * len(y) / len(idx)
    finally:
        model.train(mode)
    return total


def my_early_stop__equal_loss_counts_as_better__heldout_counter(losses, patience):
    lowest, where, waited = inf, 0, 0
    for i in range(len(losses)):
        if losses[i] <= lowest:
            lowest, where, waited = losses[i], i, 0
        else:
            waited += 1
            if waited == patience:
                return where, i
    return where, len(losses) - 1


def my_early_stop__one_evaluation_too_many__heldout_while(losses, patience):
    best = last = 0
    while last < len(losses):
        if losses[last] < losses[best]:
            best = last
        if last - best >= patience + 1:
            return best, last
        last += 1
    return best, last - 1


def my_early_stop__nan_at_the_start_is_never_beaten__heldout_counter(losses, patience):
    lowest, best, bad = losses[0], 0, 0
    for i in range(1, len(losses)):
        if losses[i] < lowest:
            lowest, best, bad = losses[i], i, 0
        else:
            bad += 1
        if bad == patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__number_of_evaluations_in_place_of_the_last__heldout_count(losses, patience):
    best, lowest, evaluations = 0, inf, 0
    for loss in losses:
        if loss < lowest:
            best, lowest = evaluations, loss
        evaluations += 1
        if evaluations - 1 - best == patience:
            break
    return best, evaluations


def my_early_stop__correct_with_a_counter(losses, patience):
    best, bad, lowest = 0, 0, None
    for i, loss in enumerate(losses):
        better = not isnan(loss) and (lowest is None or loss < lowest)
        if better:
            best, lowest, bad = i, loss, 0
        elif i:
            bad += 1
        if bad >= patience:
            return (best, i)
    return (best, len(losses) - 1)


def my_resumable_run__velocity_is_not_saved__heldout_dict(steps, state=None):
    generator = np.random.default_rng(0)
    p, u, t = 1.0, 0.0, 0
    if state is not None:
        p, t = state["p"], state["t"]
        generator.bit_generator.state = state["generator"]
    for _ in range(steps):
        u = u / 2 + (p + generator.normal())
        p, t = p - u * 0.1 / (1 + t), t + 1
    return p, {"p": p, "t": t, "generator": generator.bit_generator.state}


def my_resumable_run__step_is_not_saved__heldout_dict(steps, state=None):
    rng = np.random.default_rng(0)
    p, u = 1.0, 0.0
    if state:
        p, u = state["p"], state["u"]
        rng.bit_generator.state = state["rng"]
    t = 0
    while t < steps:
        u = 0.5 * u + (p + rng.normal())
        p = p - 0.1 / (t + 1) * u
        t += 1
    return p, dict(p=p, u=u, rng=rng.bit_generator.state)


def my_resumable_run__saves_the_seed_instead_of_the_generators_state__heldout_no_generator(
    steps, state=None
):
    p, u, t = (1.0, 0.0, 0) if state is None else state
    noise = np.random.default_rng(0).normal(size=steps)
    for z in noise:
        u = 0.5 * u + p + float(z)
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, [p, u, t]


def my_resumable_run__correct_draws_again_what_was_drawn(steps, state=None):
    p, u, t = (1.0, 0.0, 0) if state is None else state
    rng = np.random.default_rng(0)
    for _ in range(t):
        rng.normal()
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, [p, u, t]
