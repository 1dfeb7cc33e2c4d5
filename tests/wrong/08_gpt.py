"""Plausible wrong attempts at the exercises of chapter 08."""

import math

import numpy as np

SEEN: list = []


def my_prenorm_block__no_residual_connection(x, norm_1, attention, norm_2, mlp):
    """Each layer replaces the stream instead of adding to it: the path around the layers is gone.
    See “The idea”."""
    x = attention(norm_1(x))
    return mlp(norm_2(x))


def my_prenorm_block__norm_on_the_stream(x, norm_1, attention, norm_2, mlp):
    """The norm stands after the addition, on the stream; it belongs inside the branch, in front of
    the layer. See “The idea”."""
    x = norm_1(x + attention(x))
    return norm_2(x + mlp(x))


def my_prenorm_block__stream_goes_through_the_norm_too(x, norm_1, attention, norm_2, mlp):
    """The stream itself was normalised and carried on; only what the layer reads should pass
    through the norm. See “The idea”."""
    x = norm_1(x)
    x = x + attention(x)
    x = norm_2(x)
    return x + mlp(x)


def my_prenorm_block__both_layers_read_the_old_stream(x, norm_1, attention, norm_2, mlp):
    """The MLP reads the stream as it was before attention added to it.
    See “Exercise 8.1 · The block”."""
    return x + attention(norm_1(x)) + mlp(norm_2(x))


def my_prenorm_block__norm_2_is_never_used(x, norm_1, attention, norm_2, mlp):
    """The first norm stands before both layers; the MLP has a norm of its own.
    See “Exercise 8.1 · The block”."""
    x = x + attention(norm_1(x))
    return x + mlp(norm_1(x))


def my_prenorm_block__mlp_without_a_norm(x, norm_1, attention, norm_2, mlp):
    """The MLP reads the stream as it is; it too has a norm in front, `norm_2`.
    See “Exercise 8.1 · The block”."""
    x = x + attention(norm_1(x))
    return x + mlp(x)


def my_prenorm_block__adds_into_the_array_that_was_given(x, norm_1, attention, norm_2, mlp):
    """The numbers are right, but `+=` writes into the caller's array: `x = x + …` makes a new one.
    See “Exercise 8.1 · The block”."""
    x += attention(norm_1(x))
    x += mlp(norm_2(x))
    return x


def my_prenorm_block__returns_the_addition_not_the_stream(x, norm_1, attention, norm_2, mlp):
    """This is what the MLP adds; the stream after it is that and what stood there before.
    See “Exercise 8.1 · The block”."""
    x = x + attention(norm_1(x))
    return mlp(norm_2(x))


def my_prenorm_block__adds_into_what_the_functions_return(x, norm_1, attention, norm_2, mlp):
    """The stream was added into the layer's result; where a layer hands back the array that it
    got, that writes into the stream itself. See “Exercise 8.1 · The block”."""
    change = attention(norm_1(x))
    change += x
    result = mlp(norm_2(change))
    result += change
    return result


def my_prenorm_block__mlp_first(x, norm_1, attention, norm_2, mlp):
    """The MLP comes before attention; first a token gathers, then it works on what it gathered.
    See “Exercise 8.1 · The block”."""
    x = x + mlp(norm_2(x))
    return x + attention(norm_1(x))


def my_prenorm_block__norm_after_the_layer(x, norm_1, attention, norm_2, mlp):
    """The norm was put on what the layer returns; it belongs in front, on what the layer reads.
    See “The idea”."""
    x = x + norm_1(attention(x))
    return x + norm_2(mlp(x))


def my_prenorm_block__attention_is_added_twice(x, norm_1, attention, norm_2, mlp):
    """The result holds the attention's addition twice: the second line added both layers' results
    to a stream that had the first already. See “Exercise 8.1 · The block”."""
    change = attention(norm_1(x))
    x = x + change
    return x + change + mlp(norm_2(x))


def my_first_spread__one_addition_a_block(name, n_layer):
    """One addition a block was counted; attention and MLP each make one.
    See “The first numbers”."""
    if name.endswith("bias"):
        return 0.0
    return 0.02 / math.sqrt(n_layer) if name.endswith("c_proj.weight") else 0.02


def my_first_spread__divides_by_n_not_by_its_root(name, n_layer):
    """The spread is divided by the number of additions; but spreads of random numbers grow with
    its root only. See “The first numbers”."""
    if name.endswith("bias"):
        return 0.0
    return 0.02 / (2 * n_layer) if name.endswith("c_proj.weight") else 0.02


def my_first_spread__forgets_the_attentions_projection(name, n_layer):
    """Only the MLP's last matrix starts smaller; attention writes into the stream as well.
    See “The first numbers”."""
    if name.endswith("bias"):
        return 0.0
    return 0.02 / math.sqrt(2 * n_layer) if name.endswith("mlp.c_proj.weight") else 0.02


def my_first_spread__bias_of_c_proj_becomes_random(name, n_layer):
    """A bias of `c_proj` became random: the name was asked for before the kind.
    See “The first numbers”."""
    if "c_proj" in name:
        return 0.02 / math.sqrt(2 * n_layer)
    return 0.0 if name.endswith("bias") else 0.02


def my_first_spread__makes_every_matrix_smaller(name, n_layer):
    """Every matrix starts smaller; only those that write into the stream need to.
    See “The first numbers”."""
    return 0.0 if name.endswith("bias") else 0.02 / math.sqrt(2 * n_layer)


def my_first_spread__counts_the_blocks_up_to_this_one(name, n_layer):
    """The additions were counted up to this block; what must not grow too wide is the stream at
    the end, after all of them. See “The first numbers”."""
    if name.endswith("bias"):
        return 0.0
    if not name.endswith("c_proj.weight"):
        return 0.02
    return 0.02 / math.sqrt(2 * (int(name.split(".")[2]) + 1))


def my_first_spread__wider_instead_of_smaller(name, n_layer):
    """The matrices that write into the stream start wider; many additions make the stream wide by
    themselves, so each has to be smaller. See “The first numbers”."""
    if name.endswith("bias"):
        return 0.0
    return 0.02 * math.sqrt(2 * n_layer) if name.endswith("c_proj.weight") else 0.02


def my_first_spread__rounded(name, n_layer):
    """The spread was rounded; for 12 blocks it is no round number. See “The first numbers”."""
    if name.endswith("bias"):
        return 0.0
    return round(0.02 / math.sqrt(2 * n_layer), 3) if name.endswith("c_proj.weight") else 0.02


def my_first_spread__variance_for_the_spread(name, n_layer):
    """This is the square of the spread, the variance. See “The first numbers”."""
    if name.endswith("bias"):
        return 0.0
    return 0.02**2 / (2 * n_layer) if name.endswith("c_proj.weight") else 0.02**2


def my_first_spread__all_weights_of_the_branches(name, n_layer):
    """All matrices inside a block start smaller; only the last one of each branch writes into the
    stream. See “The first numbers”."""
    if name.endswith("bias"):
        return 0.0
    return 0.02 / math.sqrt(2 * n_layer) if ".h." in name else 0.02


def my_first_spread__every_matrix_of_attention(name, n_layer):
    """Every matrix of attention starts smaller; `c_attn` makes queries, keys and values and adds
    nothing to the stream. See “The first numbers”."""
    if name.endswith("bias"):
        return 0.0
    small = ".attn." in name or name.endswith("c_proj.weight")
    return 0.02 / math.sqrt(2 * n_layer) if small else 0.02


def my_gpt_size__head_counted_again(vocab_size, n_embd, n_layer, block_size, bias):
    """`lm_head` was counted as a table of its own; it is the same matrix as `wte`.
    See “One matrix, two uses”."""
    C = n_embd
    block = 12 * C * C + 2 * C + bias * 11 * C
    return 2 * vocab_size * C + block_size * C + n_layer * block + (1 + bias) * C


def my_gpt_size__table_of_positions_is_forgotten(vocab_size, n_embd, n_layer, block_size, bias):
    """The table of positions is missing: a vector for each place up to `block_size`.
    See “How large is it?”."""
    C = n_embd
    block = 12 * C * C + 2 * C + bias * 11 * C
    return vocab_size * C + n_layer * block + (1 + bias) * C


def my_gpt_size__no_last_norm(vocab_size, n_embd, n_layer, block_size, bias):
    """The last norm, which stands in no block, is missing. See “How large is it?”."""
    C = n_embd
    return (vocab_size + block_size) * C + n_layer * (12 * C * C + 2 * C + bias * 11 * C)


def my_gpt_size__last_norm_in_each_block(vocab_size, n_embd, n_layer, block_size, bias):
    """A third norm was counted in each block; `ln_f` stands once, after all blocks.
    See “How large is it?”."""
    C = n_embd
    block = 12 * C * C + 3 * C + bias * 12 * C
    return (vocab_size + block_size) * C + n_layer * block


def my_gpt_size__norms_keep_their_biases(vocab_size, n_embd, n_layer, block_size, bias):
    """The norms have biases only if the linear layers do. See “How large is it?”."""
    C = n_embd
    block = 12 * C * C + 4 * C + bias * 9 * C
    return (vocab_size + block_size) * C + n_layer * block + 2 * C


def my_gpt_size__one_bias_of_c_for_each_layer(vocab_size, n_embd, n_layer, block_size, bias):
    """Each linear layer got C biases; it has one for each of its outputs, so some have 3C or 4C.
    See “How large is it?”."""
    C = n_embd
    block = 12 * C * C + 2 * C + bias * 6 * C
    return (vocab_size + block_size) * C + n_layer * block + (1 + bias) * C


def my_gpt_size__lm_head_with_a_bias(vocab_size, n_embd, n_layer, block_size, bias):
    """`lm_head` got a bias for each token; it never has one. See “How large is it?”."""
    C = n_embd
    block = 12 * C * C + 2 * C + bias * 11 * C
    return (vocab_size + block_size) * C + n_layer * block + (1 + bias) * C + bias * vocab_size


def my_gpt_size__c_attn_as_one_square_matrix(vocab_size, n_embd, n_layer, block_size, bias):
    """`c_attn` was counted as one square matrix; it makes queries, keys and values, so it is
    three. See “How large is it?”."""
    C = n_embd
    block = 10 * C * C + 2 * C + bias * 9 * C
    return (vocab_size + block_size) * C + n_layer * block + (1 + bias) * C


def my_gpt_size__biases_counted_by_inputs(vocab_size, n_embd, n_layer, block_size, bias):
    """A linear layer got a bias for each input, where it has one for each output; or the two norms
    of a block got no biases. See “How large is it?”."""
    C = n_embd
    block = 12 * C * C + 2 * C + bias * (2 + 1 + 1 + 1 + 4) * C
    return (vocab_size + block_size) * C + n_layer * block + (1 + bias) * C


def my_gpt_size__no_norm_has_a_bias(vocab_size, n_embd, n_layer, block_size, bias):
    """The norms were counted with their gains alone; each has as many biases, `ln_f` too.
    See “How large is it?”."""
    C = n_embd
    block = 12 * C * C + 2 * C + bias * 9 * C
    return (vocab_size + block_size) * C + n_layer * block + C


def my_gpt_size__mlp_twice_as_wide_instead_of_four_times(
    vocab_size, n_embd, n_layer, block_size, bias
):
    """The MLP was taken to be twice as wide inside; it is four times as wide.
    See “How large is it?”."""
    C = n_embd
    block = 8 * C * C + 2 * C + bias * 9 * C
    return (vocab_size + block_size) * C + n_layer * block + (1 + bias) * C


def my_gpt_size__one_norm_in_a_block(vocab_size, n_embd, n_layer, block_size, bias):
    """One norm was counted in each block; attention and MLP have one each.
    See “How large is it?”."""
    C = n_embd
    block = 12 * C * C + C + bias * 10 * C
    return (vocab_size + block_size) * C + n_layer * block + (1 + bias) * C


def my_gpt_size__only_the_large_terms(vocab_size, n_embd, n_layer, block_size, bias):
    """Only the large terms were counted, 12 C² a block; for a small model the rest matters.
    See “How large is it?”."""
    return (vocab_size + block_size + 12 * n_layer * n_embd) * n_embd


def my_first_loss__spread_costs_nothing(vocab_size, logit_spread):
    """This is the loss of equal logits; random ones that know nothing are worse.
    See “Exercise 8.4 · The loss at the start”."""
    return math.log(vocab_size)


def my_first_loss__half_is_lost(vocab_size, logit_spread):
    """The variance was added whole; the exponent of the mean is half of it.
    See “Exercise 8.4 · The loss at the start”."""
    return math.log(vocab_size) + logit_spread**2


def my_first_loss__spread_not_the_variance(vocab_size, logit_spread):
    """Half the spread was added instead of half its square, the variance.
    See “Exercise 8.4 · The loss at the start”."""
    return math.log(vocab_size) + logit_spread / 2


def my_first_loss__in_bits_instead_of_nats(vocab_size, logit_spread):
    """The logarithm is to the base 2; losses here are in nats.
    See “Exercise 8.4 · The loss at the start”."""
    return math.log2(vocab_size) + logit_spread**2 / 2


def my_first_loss__confident_model_is_taken_for_a_good_one(vocab_size, logit_spread):
    """Wide logits were taken for a better model; where they know nothing, to be sure costs.
    See “Exercise 8.4 · The loss at the start”."""
    return math.log(vocab_size) - logit_spread**2 / 2


def my_first_loss__logarithm_of_the_first_term_only(vocab_size, logit_spread):
    """The logarithm was taken of the vocabulary alone, and the mean of the exponentials added as
    it is: the logarithm of a product has two terms.
    See “Exercise 8.4 · The loss at the start”."""
    return math.log(vocab_size) + math.exp(logit_spread**2 / 2) - 1


def my_first_loss__square_of_the_half(vocab_size, logit_spread):
    """The half was squared too: it is half of the square.
    See “Exercise 8.4 · The loss at the start”."""
    return math.log(vocab_size) + (logit_spread / 2) ** 2


def my_first_loss__through_the_exponential(vocab_size, logit_spread):
    """The formula is right, and was worked out with numbers too large for a computer: the
    exponential of a large variance overflows, its logarithm does not.
    See “Exercise 8.4 · The loss at the start”."""
    return float(np.log(vocab_size * np.exp(np.float64(logit_spread) ** 2 / 2)))


def my_first_loss__drawn_at_random(vocab_size, logit_spread):
    """The loss was estimated with a few random logits; the formula has no chance in it.
    See “Exercise 8.4 · The loss at the start”."""
    z = np.random.default_rng(0).standard_normal(vocab_size) * logit_spread
    return float(np.log(np.exp(z - z.max()).sum()) + z.max() - z.mean())


def my_first_loss__as_perplexity(vocab_size, logit_spread):
    """This is the perplexity, the exponential of the loss.
    See “Exercise 8.4 · The loss at the start”."""
    return vocab_size * math.exp(min(logit_spread**2 / 2, 700))


def my_training_bytes__every_number_has_4_bytes(arrays):
    """Every number was taken to have 4 bytes; a float64 has 8.
    See “Exercise 8.5 · The memory of training”."""
    return 16 * sum(a.size for a in {id(a): a for a in arrays}.values())


def my_training_bytes__tied_matrix_twice(arrays):
    """The tied matrix was counted twice; in the list it is one and the same object.
    See “Exercise 8.5 · The memory of training”."""
    return 4 * sum(a.nbytes for a in arrays)


def my_training_bytes__set_of_arrays(arrays):
    """Arrays can be neither in a set nor keys of a dictionary (“unhashable”); the number that
    `id(array)` gives can. See “Exercise 8.5 · The memory of training”."""
    return 4 * sum(a.nbytes for a in set(arrays))


def my_training_bytes__weights_and_gradients_no_optimizer(arrays):
    """Weights and gradients were counted, and AdamW's two moments forgotten.
    See “How much memory, how much work?”."""
    return 2 * sum(a.nbytes for a in {id(a): a for a in arrays}.values())


def my_training_bytes__one_moment_instead_of_two(arrays):
    """AdamW keeps two moments, m and v, and one was counted.
    See “How much memory, how much work?”."""
    return 3 * sum(a.nbytes for a in {id(a): a for a in arrays}.values())


def my_training_bytes__what_looks_equal_counts_once(arrays):
    """Arrays with equal numbers were taken for one; at the start all biases are equal, and each
    has its own memory. See “Exercise 8.5 · The memory of training”."""
    different = []
    for a in arrays:
        if not any(np.array_equal(a, b) for b in different):
            different.append(a)
    return 4 * sum(a.nbytes for a in different)


def my_training_bytes__numbers_instead_of_bytes(arrays):
    """These are numbers, not bytes. See “Exercise 8.5 · The memory of training”."""
    return 4 * sum(a.size for a in {id(a): a for a in arrays}.values())


def my_training_bytes__empty_list(arrays):
    """A model may have no parameters at all: a sum of nothing is 0, and a first array need not
    exist. See “Exercise 8.5 · The memory of training”."""
    size = arrays[0].itemsize
    return 4 * size * sum(a.size for a in {id(a): a for a in arrays}.values())


def my_training_bytes__moments_in_float32(arrays):
    """The moments were taken to be float32; each has the type of its weight.
    See “Exercise 8.5 · The memory of training”."""
    different = {id(a): a for a in arrays}.values()
    return sum(2 * a.nbytes + 8 * a.size for a in different)


def my_training_bytes__remembers_what_it_has_seen(arrays):
    """What was counted in an earlier call is remembered in a global, and left out the next time;
    each call is a model of its own. See “Exercise 8.5 · The memory of training”."""
    new = [a for a in {id(a): a for a in arrays}.values() if (a.shape, a.dtype) not in SEEN]
    SEEN.extend((a.shape, a.dtype) for a in new)
    return 4 * sum(a.nbytes for a in new)


def my_training_bytes__changes_the_list(arrays):
    """The list was emptied while it was counted, and it is the caller's: work on a copy.
    See “Exercise 8.5 · The memory of training”."""
    total, seen = 0, []
    while arrays:
        a = arrays.pop()
        if not any(a is b for b in seen):
            seen.append(a)
            total += 4 * a.nbytes
    return total
