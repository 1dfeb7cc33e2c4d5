"""Plausible wrong attempts at the exercises of chapter 10."""

import numpy as np

from minigrad.optim import clip_grad_norm
from minigrad.tensor import no_grad


def my_step_in_parts__sums_the_gradients(model, optimizer, parts, max_norm):
    """The gradients of the parts were added up, but the loss of the batch is the mean of the
    parts' losses: each part counts 1/k, and so does its gradient. See “One step”."""
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
    """What stood in grad before this step was added to the new gradients; nobody forgets it for
    you. See “One step is four lines”."""
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1] / len(parts)
        loss.backward()
        total += loss.item()
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return total


def my_step_in_parts__gradients_are_cleared_for_each_part(model, optimizer, parts, max_norm):
    """The gradients were cleared before every part, so that only the last part's is left when
    the step is taken. See “One step”."""
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
    """A step was taken after each part: that is k small steps at k different places, not one
    step for the whole batch. See “One step”."""
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
    """Each part was clipped on its own; but only the whole batch's gradient has the length that
    must not be exceeded, and parts may cancel each other. See “Exercise 10.1 · A step in parts”."""
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
    """The gradient was clipped after the step or not at all, and the step was as long as it
    liked. See “One step is four lines”."""
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
    """The loss of the last part alone was returned; the batch's loss is the mean over all of its
    parts. See “Exercise 10.1 · A step in parts”."""
    optimizer.zero_grad()
    for idx, targets in parts:
        loss = model(idx, targets)[1]
        (loss / len(parts)).backward()
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return loss.item()


def my_step_in_parts__records_the_whole_batch_at_once(model, optimizer, parts, max_norm):
    """All parts were recorded before the first backward(), so that all their graphs wait in
    memory at the same time: just what a batch in parts should avoid. See “One step”."""
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
    """The learning rate was divided instead of the gradient. That stays so for all later steps,
    and an optimizer such as AdamW does not step in proportion to the gradient. See “One step”."""
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
    """The plain mean of the batches' losses was taken; then a sequence in a small last batch
    counts more than one in a full batch. See “Evaluation”."""
    before = model.training
    model.eval()
    losses = []
    with no_grad():
        for i in range(0, len(idx), batch_size):
            losses.append(model(idx[i : i + batch_size], targets[i : i + batch_size])[1].item())
    model.train(before)
    return float(np.mean(losses))


def my_validation_loss__each_batch_is_taken_for_a_full_one(model, idx, targets, batch_size):
    """Every batch's mean was multiplied with batch_size, but the last batch may hold fewer
    sequences. See “Evaluation”."""
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
    """The sequences that do not fill a batch were left out, and nobody ever looks at them. See
    “Exercise 10.2 · Unequal batches”."""
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
    """The model was measured in training mode, where dropout still drops: it looks worse than it
    is. See “Exercise 10.2 · Unequal batches”."""
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            part = slice(i, i + batch_size)
            total += model(idx[part], targets[part])[1].item() * len(idx[part])
    return total / len(idx)


def my_validation_loss__stays_in_evaluation_mode(model, idx, targets, batch_size):
    """The model was left in evaluation mode, so that the training after it goes on without
    dropout, and without a message. See “Exercise 10.2 · Unequal batches”."""
    model.eval()
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            part = slice(i, i + batch_size)
            total += model(idx[part], targets[part])[1].item() * len(idx[part])
    return total / len(idx)


def my_validation_loss__ends_in_training_mode_whatever_was_before(model, idx, targets, batch_size):
    """The model was put into training mode at the end, though it may have come in evaluation
    mode. See “Exercise 10.2 · Unequal batches”."""
    model.eval()
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            part = slice(i, i + batch_size)
            total += model(idx[part], targets[part])[1].item() * len(idx[part])
    model.train()
    return total / len(idx)


def my_validation_loss__records_graphs(model, idx, targets, batch_size):
    """A graph was recorded for each batch, and thrown away: time and memory for nothing. (A
    plain line no_grad() does nothing; it holds for the block of a with statement.) See “Exercise
    10.2 · Unequal batches”."""
    before = model.training
    model.eval()
    total = 0.0
    for i in range(0, len(idx), batch_size):
        part = slice(i, i + batch_size)
        total += model(idx[part], targets[part])[1].item() * len(idx[part])
    model.train(before)
    return total / len(idx)


def my_validation_loss__sets_the_flag_of_the_model_alone(model, idx, targets, batch_size):
    """The flag was set on the model alone; its dropout layers have a flag each, which eval() and
    train() set too. See “Exercise 10.2 · Unequal batches”."""
    mode, model.training = model.training, False
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            x, y = idx[i : i + batch_size], targets[i : i + batch_size]
            total += model(x, y)[1].item() * len(x)
    model.training = mode
    return total / len(idx)


def my_early_stop__knows_the_future(losses, patience):
    """The lowest loss of the whole list was looked up, but the run stops before it has seen all
    of them. See “Exercise 10.3 · When to stop”."""
    best = int(np.argmin(losses))
    return best, min(best + patience, len(losses) - 1)


def my_early_stop__compares_with_the_evaluation_before(losses, patience):
    """Each loss was compared with the one just before; it must be better than the best so far.
    See “Exercise 10.3 · When to stop”."""
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
    """All evaluations without improvement were counted, though an improvement in between starts
    the count anew: they must come in a row. See “Exercise 10.3 · When to stop”."""
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
    """The run went on for one evaluation more than its patience allows. See “Exercise 10.3 ·
    When to stop”."""
    best = 0
    for i, loss in enumerate(losses):
        if loss < losses[best]:
            best = i
        if i - best > patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__equal_loss_counts_as_better(losses, patience):
    """To equal the best was taken for an improvement; it must be lower. See “Exercise 10.3 ·
    When to stop”."""
    best = 0
    for i, loss in enumerate(losses):
        if loss <= losses[best]:
            best = i
        if i - best == patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__nan_starts_the_count_anew(losses, patience):
    """Every comparison with nan is false, also nan >= best: so a run that has exploded was taken
    for one that improves. See “Exercise 10.3 · When to stop”."""
    best = worse = 0
    for i in range(1, len(losses)):
        worse = worse + 1 if losses[i] >= losses[best] else 0
        if losses[i] < losses[best]:
            best = i
        if worse == patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__nan_at_the_start_is_never_beaten(losses, patience):
    """The first loss was taken for the lowest, and it was nan: no number is below nan, so
    nothing could ever beat it. See “Exercise 10.3 · When to stop”."""
    best = 0
    for i, loss in enumerate(losses):
        if loss < losses[best]:
            best = i
        if i - best == patience:
            return best, i
    return best, len(losses) - 1


def my_resumable_run__saves_the_seed_instead_of_the_generators_state(steps, state=None):
    """After an interruption the generator begins with its first number again, as one that is
    made anew from its seed: the same noise comes twice. See “Interrupted, resumed, and the same
    to the last bit”."""
    state = state or {"p": 1.0, "u": 0.0, "t": 0, "seed": 0}
    rng, p, u, t = np.random.default_rng(state["seed"]), state["p"], state["u"], state["t"]
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, {"p": p, "u": u, "t": t, "seed": state["seed"]}


def my_resumable_run__velocity_is_not_saved(steps, state=None):
    """The velocity u was left out of the state and begins with 0 again, as with a new optimizer.
    See “The idea” in chapter 09."""
    rng, p, u, t = np.random.default_rng(0), 1.0, 0.0, 0
    if state:
        p, t, rng.bit_generator.state = state
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, (p, t, rng.bit_generator.state)


def my_resumable_run__step_is_not_saved(steps, state=None):
    """The step t was left out of the state, so that the learning rate begins anew after each
    interruption. See “Exercise 10.4 · What must be saved?”."""
    rng, p, u = np.random.default_rng(0), 1.0, 0.0
    if state:
        p, u, rng.bit_generator.state = state
    for t in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
    return p, (p, u, rng.bit_generator.state)


def my_resumable_run__generators_state_before_the_steps(steps, state=None):
    """The generator's state was noted before the steps were taken, so that the next leg draws
    the same numbers once more. See “Exercise 10.4 · What must be saved?”."""
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
    """The generator itself was put into the state; to load it a function would have to be
    called, and load calls none. See “Pitfalls” in chapter 09."""
    p, u, t, rng = state or (1.0, 0.0, 0, np.random.default_rng(0))
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, (p, u, t, rng)


def my_resumable_run__generator_in_a_global(steps, state=None):
    """The generator lives in the program and not in the state. After a restart the program is a
    new one, and the generator is gone. See “Exercise 10.4 · What must be saved?”."""
    global the_rng
    if state is None:
        the_rng = np.random.default_rng(0)
    p, u, t = state or (1.0, 0.0, 0)
    for _ in range(steps):
        u = 0.5 * u + p + the_rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, (p, u, t)


def my_step_in_parts__divides_the_gradient_after_clipping(model, optimizer, parts, max_norm):
    """The sum was clipped first and divided afterwards, so that the step is k times shorter than
    the limit allows. See “Exercise 10.1 · A step in parts”."""
    optimizer.zero_grad()
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1]
        loss.backward()
        total += loss.item() / len(parts)
    clip_grad_norm(optimizer.parameters(), max_norm)
    for p in optimizer.parameters():
        p.grad = p.grad / len(parts)
    optimizer.step()
    return total


def my_step_in_parts__cleared_after_the_step_and_not_before(model, optimizer, parts, max_norm):
    """The gradients were cleared after the step, which relies on everybody before you having
    done the same: what was left in grad was added to yours. See “One step is four lines”."""
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1] / len(parts)
        loss.backward()
        total += loss.item()
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    optimizer.zero_grad()
    return total


def my_step_in_parts__sum_of_the_losses(model, optimizer, parts, max_norm):
    """The losses of the parts were added up; the mean loss of the batch is the mean of them. See
    “Exercise 10.1 · A step in parts”."""
    optimizer.zero_grad()
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1]
        (loss / len(parts)).backward()
        total += loss.item()
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return total


def my_step_in_parts__loss_stays_a_tensor(model, optimizer, parts, max_norm):
    """A Tensor was returned, which keeps its graph alive; a float is asked for, and .item()
    makes it. See “Exercise 10.1 · A step in parts”."""
    optimizer.zero_grad()
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1] / len(parts)
        loss.backward()
        total = loss + total
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return total


def my_step_in_parts__takes_the_parts_out_of_the_list(model, optimizer, parts, max_norm):
    """The parts were taken out of the caller's own list, which is empty afterwards: nobody could
    use that batch again. See “Exercise 10.1 · A step in parts”."""
    optimizer.zero_grad()
    total, n = 0.0, len(parts)
    while parts:
        idx, targets = parts.pop(0)
        loss = model(idx, targets)[1] / n
        loss.backward()
        total += loss.item()
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return total


def my_step_in_parts__losses_in_a_default_argument(
    model,
    optimizer,
    parts,
    max_norm,
    seen=[],  # noqa: B006
):
    """A list as a default argument is made once and kept: the losses of earlier calls are still
    in it. See “Exercise 10.1 · A step in parts”."""
    optimizer.zero_grad()
    for idx, targets in parts:
        loss = model(idx, targets)[1]
        (loss / len(parts)).backward()
        seen.append(loss.item())
    clip_grad_norm(optimizer.parameters(), max_norm)
    optimizer.step()
    return sum(seen) / len(seen)


def my_step_in_parts__clipping_is_forgotten(model, optimizer, parts, max_norm):
    """The gradient was never clipped, so that one bad batch can throw the parameters far away.
    See “One step is four lines”."""
    optimizer.zero_grad()
    total = 0.0
    for idx, targets in parts:
        loss = model(idx, targets)[1] / len(parts)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


def my_validation_loss__modules_inside_stay_in_evaluation_mode(model, idx, targets, batch_size):
    """Afterwards the flag was put back on the model alone, so that the modules inside stay in
    evaluation mode; train(mode) puts it back for all of them. See “Exercise 10.2 · Unequal
    batches”."""
    was_training = model.training
    model.eval()
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            x, y = idx[i : i + batch_size], targets[i : i + batch_size]
            total += model(x, y)[1].item() * len(x)
    model.training = was_training
    return total / len(idx)


def my_validation_loss__no_grad_without_with(model, idx, targets, batch_size):
    """A plain line no_grad() does nothing: it holds for the block of a with statement. See
    “Exercise 10.2 · Unequal batches”."""
    was_training = model.training
    model.eval()
    no_grad()
    total = 0.0
    for i in range(0, len(idx), batch_size):
        x, y = idx[i : i + batch_size], targets[i : i + batch_size]
        total += model(x, y)[1].item() * len(x)
    model.train(was_training)
    return total / len(idx)


def my_validation_loss__everything_at_once(model, idx, targets, batch_size):
    """All sequences were computed at once; the batches are there because a large validation part
    does not fit into memory. See “Exercise 10.2 · Unequal batches”."""
    was_training = model.training
    model.eval()
    with no_grad():
        loss = model(idx, targets)[1].item()
    model.train(was_training)
    return loss


def my_validation_loss__inputs_of_the_first_batch_throughout(model, idx, targets, batch_size):
    """The inputs of the first batch went with the targets of every batch; both must be cut at
    the same places. See “Exercise 10.2 · Unequal batches”."""
    was_training = model.training
    model.eval()
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            y = targets[i : i + batch_size]
            total += model(idx[: len(y)], y)[1].item() * len(y)
    model.train(was_training)
    return total / len(idx)


def my_validation_loss__in_random_order(model, idx, targets, batch_size):
    """The sequences were shuffled first; the task asks for them in order. See “Exercise 10.2 ·
    Unequal batches”."""
    was_training = model.training
    model.eval()
    order = np.random.default_rng(0).permutation(len(idx))
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            part = order[i : i + batch_size]
            total += model(idx[part], targets[part])[1].item() * len(part)
    model.train(was_training)
    return total / len(idx)


def my_validation_loss__loss_stays_a_tensor(model, idx, targets, batch_size):
    """A Tensor was returned where a float is asked for; .item() makes it. See “Exercise 10.2 ·
    Unequal batches”."""
    was_training = model.training
    model.eval()
    total = 0.0
    with no_grad():
        for i in range(0, len(idx), batch_size):
            x, y = idx[i : i + batch_size], targets[i : i + batch_size]
            total = model(x, y)[1] * len(x) + total
    model.train(was_training)
    return total / len(idx)


def my_early_stop__lowest_begins_with_a_large_number(losses, patience):
    """The lowest loss began as some large number, but a loss may be larger still; only infinity
    is above all of them. See “Exercise 10.3 · When to stop”."""
    best, lowest = 0, 100.0
    for i, loss in enumerate(losses):
        if loss < lowest:
            best, lowest = i, loss
        if i - best == patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__takes_a_loss_of_zero_for_none(losses, patience):
    """A loss of 0.0 counts as false in Python, so that `not lowest` is true for the best loss
    there is; ask whether it is None. See “Exercise 10.3 · When to stop”."""
    best, lowest = 0, None
    for i, loss in enumerate(losses):
        if loss == loss and (not lowest or loss < lowest):
            best, lowest = i, loss
        if i - best == patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__replaces_nan_in_the_list(losses, patience):
    """The nan in the caller's own list was overwritten, so that nobody can see any more what
    happened in the run. See “Exercise 10.3 · When to stop”."""
    best = 0
    for i, loss in enumerate(losses):
        if loss != loss:
            losses[i] = float("inf")
        if losses[i] < losses[best]:
            best = i
        if i - best == patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__skips_nan_without_counting_it(losses, patience):
    """An evaluation that gave nan was skipped; but it is one without improvement, and counts.
    See “Exercise 10.3 · When to stop”."""
    best, lowest, waiting = 0, float("inf"), 0
    for i, loss in enumerate(losses):
        if loss != loss:
            continue
        waiting = 0 if loss < lowest else waiting + 1
        if loss < lowest:
            best, lowest = i, loss
        if waiting == patience:
            return best, i
    return best, len(losses) - 1


def my_early_stop__losses_instead_of_indices(losses, patience):
    """The losses themselves were returned; asked for is where they stand in the list. See
    “Exercise 10.3 · When to stop”."""
    best, lowest = 0, float("inf")
    for i, loss in enumerate(losses):
        if loss < lowest:
            best, lowest = i, loss
        if i - best == patience:
            return losses[best], losses[i]
    return losses[best], losses[-1]


def my_early_stop__number_of_evaluations_in_place_of_the_last(losses, patience):
    """The number of evaluations was returned for the index of the last one, which is one less.
    See “Exercise 10.3 · When to stop”."""
    best, lowest = 0, float("inf")
    for i, loss in enumerate(losses):
        if loss < lowest:
            best, lowest = i, loss
        if i - best == patience:
            return best, i + 1
    return best, len(losses)


def my_early_stop__one_evaluation_too_few(losses, patience):
    """The run stopped one evaluation too early: the best itself is no evaluation without
    improvement. See “Exercise 10.3 · When to stop”."""
    best, lowest = 0, float("inf")
    for i, loss in enumerate(losses):
        if loss < lowest:
            best, lowest = i, loss
        elif i - best >= patience - 1:
            return best, i
    return best, len(losses) - 1


GENERATORS = {}


def my_resumable_run__generators_in_a_global_by_step(steps, state=None):
    """The generators are kept in the program, one for each step. After a restart the program is
    a new one, and they are gone. See “Exercise 10.4 · What must be saved?”."""
    p, u, t = state or (1.0, 0.0, 0)
    rng = GENERATORS.get(t) or np.random.default_rng(0)
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    kept = np.random.default_rng()
    kept.bit_generator.state = rng.bit_generator.state
    GENERATORS[t] = kept
    return p, (p, u, t)


def my_resumable_run__generator_in_a_default_argument(
    steps,
    state=None,
    rng=np.random.default_rng(0),  # noqa: B008
):
    """A generator as a default argument is made once and lives as long as the program; after a
    restart it begins at its first number. See “Exercise 10.4 · What must be saved?”."""
    p, u, t = state or (1.0, 0.0, 0)
    if state is None:
        rng.bit_generator.state = np.random.default_rng(0).bit_generator.state
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, (p, u, t)


def my_resumable_run__seeded_with_the_step(steps, state=None):
    """The generator was seeded anew with the step, which gives other numbers than one that
    simply goes on. See “Exercise 10.4 · What must be saved?”."""
    p, u, t = state or (1.0, 0.0, 0)
    rng = np.random.default_rng(t)
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, (p, u, t)


def my_resumable_run__nothing_to_do_forgets_the_state(steps, state=None):
    """With no step to take the state that came in was forgotten, and that of a new run returned.
    See “Exercise 10.4 · What must be saved?”."""
    rng = np.random.default_rng(0)
    if steps == 0:
        return 1.0, (1.0, 0.0, 0, rng.bit_generator.state)
    p, u, t = 1.0, 0.0, 0
    if state:
        p, u, t, rng.bit_generator.state = state
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, (p, u, t, rng.bit_generator.state)


def my_resumable_run__step_counted_from_one(steps, state=None):
    """The steps were counted from 1, so that the first learning rate is 0.1 / 2; t begins at 0.
    See “Exercise 10.4 · What must be saved?”."""
    rng = np.random.default_rng(0)
    p, u, t = 1.0, 0.0, 1
    if state:
        p, u, t, rng.bit_generator.state = state
    for _ in range(steps):
        u = 0.5 * u + p + rng.normal()
        p -= 0.1 / (t + 1) * u
        t += 1
    return p, (p, u, t, rng.bit_generator.state)
