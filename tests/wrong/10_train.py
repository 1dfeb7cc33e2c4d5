"""Plausible wrong attempts at the exercises of chapter 10."""

import numpy as np

from minigrad.optim import clip_grad_norm
from minigrad.tensor import no_grad


def my_step_in_parts__sums_the_gradients(model, optimizer, parts, max_norm):
    """the sum of the parts' gradients, not their mean"""
    optimizer.zero_grad()
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1]
        loss.backward()
        total += loss.item() / len(parts)
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return total


def my_step_in_parts__old_gradients_are_not_cleared(model, optimizer, parts, max_norm):
    """old gradients are not cleared"""
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1] / len(parts)
        loss.backward()
        total += loss.item()
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return total


def my_step_in_parts__gradients_are_cleared_for_each_part(model, optimizer, parts, max_norm):
    """gradients are cleared for each part"""
    total = 0.0
    for idx, targets in parts:
        optimizer.zero_grad()
        loss = model(idx, targets)[1] / len(parts)
        loss.backward()
        total += loss.item()
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return total


def my_step_in_parts__step_for_each_part(model, optimizer, parts, max_norm):
    """a step for each part"""
    optimizer.zero_grad()
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1] / len(parts)
        loss.backward()
        total += loss.item()
        clip_grad_norm(optimizer.parameters(), max_norm)
        optimizer.step()
    return total


def my_step_in_parts__clipped_after_each_part(model, optimizer, parts, max_norm):
    """clipped after each part"""
    optimizer.zero_grad()
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1] / len(parts)
        loss.backward()
        clip_grad_norm(optimizer.parameters(), max_norm)
        total += loss.item()
    optimizer.step()
    return total


def my_step_in_parts__clipped_after_the_step(model, optimizer, parts, max_norm):
    """clipped after the step"""
    optimizer.zero_grad()
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1] / len(parts)
        loss.backward()
        total += loss.item()
    optimizer.step()
    clip_grad_norm(optimizer.parameters(), max_norm)
    return total


def my_step_in_parts__returns_the_loss_of_the_last_part(model, optimizer, parts, max_norm):
    """returns the loss of the last part"""
    optimizer.zero_grad()
    for idx, targets in parts:
        loss = model(idx, targets)[1]
        (loss / len(parts)).backward()
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return loss.item()


def my_step_in_parts__records_the_whole_batch_at_once(model, optimizer, parts, max_norm):
    """one backward() for the sum of all losses: every graph waits for it in memory"""
    optimizer.zero_grad()
    losses = [model(idx, targets)[1] for idx, targets in parts]
    loss = losses[0]
    for other in losses[1:]:
        loss = loss + other
    loss = loss / len(parts)
    loss.backward()
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return loss.item()


def my_step_in_parts__divides_the_learning_rate(model, optimizer, parts, max_norm):
    """divides the learning rate instead of the gradient, for this step and all later ones"""
    optimizer.zero_grad()
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1]
        loss.backward()
        total += loss.item() / len(parts)
    clip_grad_norm(optimizer.parameters(), max_norm * len(parts))
    for group in optimizer.param_groups:
        group["lr"] /= len(parts)
    optimizer.step()
    return total


def my_validation_loss__plain_mean_of_the_batches(model, idx, targets, batch_size):
    """the plain mean of the batches"""
    before = model.training
    model.eval()
    losses = []
    with no_grad():
        for i in range(0, len(idx), batch_size):
            losses.append(model(idx[i : i + batch_size], targets[i : i + batch_size])[1].item())
    model.train(before)
    return float(np.mean(losses))


def my_validation_loss__each_batch_is_taken_for_a_full_one(model, idx, targets, batch_size):
    """each batch is taken for a full one"""
    before = model.training
    model.eval()
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            loss = model(idx[i : i + batch_size], targets[i : i + batch_size])[1].item()
            total += loss * batch_size
    model.train(before)
    return total / len(idx)


def my_validation_loss__last_batch_is_left_out(model, idx, targets, batch_size):
    """the last batch is left out"""
    before = model.training
    model.eval()
    total = n = 0
    with no_grad():
        for k in range(max(1, len(idx) // batch_size)):
            part = slice(k * batch_size, (k + 1) * batch_size)
            total += model(idx[part], targets[part])[1].item() * len(idx[part])
            n += len(idx[part])
    model.train(before)
    return total / n


def my_validation_loss__runs_in_training_mode(model, idx, targets, batch_size):
    """runs in training mode"""
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            part = slice(i, i + batch_size)
            total += model(idx[part], targets[part])[1].item() * len(idx[part])
    return total / len(idx)


def my_validation_loss__stays_in_evaluation_mode(model, idx, targets, batch_size):
    """stays in evaluation mode"""
    model.eval()
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            part = slice(i, i + batch_size)
            total += model(idx[part], targets[part])[1].item() * len(idx[part])
    return total / len(idx)


def my_validation_loss__ends_in_training_mode_whatever_was_before(model, idx, targets, batch_size):
    """ends in training mode, whatever was before"""
    model.eval()
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            part = slice(i, i + batch_size)
            total += model(idx[part], targets[part])[1].item() * len(idx[part])
    model.train()
    return total / len(idx)


def my_validation_loss__records_graphs(model, idx, targets, batch_size):
    """records graphs"""
    before = model.training
    model.eval()
    total = 0.0
    for i in range(0, len(idx), batch_size):
        part = slice(i, i + batch_size)
        total += model(idx[part], targets[part])[1].item() * len(idx[part])
    model.train(before)
    return total / len(idx)


def my_validation_loss__sets_the_flag_of_the_model_alone(model, idx, targets, batch_size):
    """sets the flag by hand, so that the modules inside stay in training mode"""
    mode, model.training = model.training, False
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            x, y = idx[i : i + batch_size], targets[i : i + batch_size]
            total += model(x, y)[1].item() * len(x)
    model.training = mode
    return total / len(idx)


def my_early_stop__knows_the_future(losses, patience):
    """knows the future"""
    best = int(np.argmin(losses))
    return best, min(best + patience, len(losses) - 1)


def my_early_stop__compares_with_the_evaluation_before(losses, patience):
    """compares with the evaluation before"""
    best = worse = 0
    for i in range(1, len(losses)):
        if losses[i] < losses[i - 1]:
            worse = 0
            if losses[i] < losses[best]:
                best = i
        else:
            worse += 1
        if worse == patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__counts_all_evaluations_without_improvement(losses, patience):
    """counts all evaluations without improvement"""
    best, worse = 0, 0
    for i in range(1, len(losses)):
        if losses[i] < losses[best]:
            best = i
        else:
            worse += 1
        if worse == patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__one_evaluation_too_many(losses, patience):
    """one evaluation too many"""
    best = 0
    for i, loss in enumerate(losses):
        if loss < losses[best]:
            best = i
        if i - best > patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__equal_loss_counts_as_better(losses, patience):
    """an equal loss counts as better"""
    best = 0
    for i, loss in enumerate(losses):
        if loss <= losses[best]:
            best = i
        if i - best == patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__nan_starts_the_count_anew(losses, patience):
    """nan is not "no better", and starts the count anew"""
    best = worse = 0
    for i in range(1, len(losses)):
        worse = worse + 1 if losses[i] >= losses[best] else 0
        if losses[i] < losses[best]:
            best = i
        if worse == patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__nan_at_the_start_is_never_beaten(losses, patience):
    """takes the first loss for the lowest, even if it is nan, which no number is below"""
    best = 0
    for i, loss in enumerate(losses):
        if loss < losses[best]:
            best = i
        if i - best == patience:
            return best, i
    return best, len(losses) - 1


def my_resumable_run__saves_the_seed_instead_of_the_generators_state(steps, state=None):
    """saves the seed instead of the generator's state"""
    state = state or {"p": 1.0, "u": 0.0, "t": 0, "seed": 0}
    rng, p, u, t = np.random.default_rng(state["seed"]), state["p"], state["u"], state["t"]
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, {"p": p, "u": u, "t": t, "seed": state["seed"]}


def my_resumable_run__velocity_is_not_saved(steps, state=None):
    """the velocity is not saved"""
    rng, p, u, t = np.random.default_rng(0), 1.0, 0.0, 0
    if state:
        p, t, rng.bit_generator.state = state
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, (p, t, rng.bit_generator.state)


def my_resumable_run__step_is_not_saved(steps, state=None):
    """the step is not saved: the schedule begins anew"""
    rng, p, u = np.random.default_rng(0), 1.0, 0.0
    if state:
        p, u, rng.bit_generator.state = state
    for t in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
    return p, (p, u, rng.bit_generator.state)


def my_resumable_run__generators_state_before_the_steps(steps, state=None):
    """the generator's state before the steps"""
    rng, p, u, t = np.random.default_rng(0), 1.0, 0.0, 0
    if state:
        p, u, t, rng.bit_generator.state = state
    at_start = rng.bit_generator.state
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, (p, u, t, at_start)


def my_resumable_run__generator_itself_in_the_state(steps, state=None):
    """the generator itself in the state"""
    p, u, t, rng = state or (1.0, 0.0, 0, np.random.default_rng(0))
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, (p, u, t, rng)


def my_resumable_run__generator_in_a_global(steps, state=None):
    """keeps the generator in the program and not in the state"""
    global the_rng
    if state is None:
        the_rng = np.random.default_rng(0)
    p, u, t = state or (1.0, 0.0, 0)
    for _ in range(steps):
        u = 0.5 * u + p + the_rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, (p, u, t)
