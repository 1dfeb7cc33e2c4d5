"""Plausible wrong attempts at the exercises of chapter 08."""

import math

import numpy as np


def my_prenorm_block(x, norm_1, attention, norm_2, mlp):  # no residual connection
    x = attention(norm_1(x))
    return mlp(norm_2(x))


def my_prenorm_block(x, norm_1, attention, norm_2, mlp):  # the norm on the stream: post-norm
    x = norm_1(x + attention(x))
    return norm_2(x + mlp(x))


def my_prenorm_block(x, norm_1, attention, norm_2, mlp):  # the stream goes through the norm too
    x = norm_1(x)
    x = x + attention(x)
    x = norm_2(x)
    return x + mlp(x)


def my_prenorm_block(x, norm_1, attention, norm_2, mlp):  # both layers read the old stream
    return x + attention(norm_1(x)) + mlp(norm_2(x))


def my_prenorm_block(x, norm_1, attention, norm_2, mlp):  # norm_2 is never used
    x = x + attention(norm_1(x))
    return x + mlp(norm_1(x))


def my_prenorm_block(x, norm_1, attention, norm_2, mlp):  # adds into the array that was given
    x += attention(norm_1(x))
    x += mlp(norm_2(x))
    return x


def my_prenorm_block(x, norm_1, attention, norm_2, mlp):  # returns the addition, not the stream
    x = x + attention(norm_1(x))
    return mlp(norm_2(x))


def my_first_spread(name, n_layer):  # one addition a block
    if name.endswith("bias"):
        return 0.0
    return 0.02 / math.sqrt(n_layer) if name.endswith("c_proj.weight") else 0.02


def my_first_spread(name, n_layer):  # divides by n, not by its root
    if name.endswith("bias"):
        return 0.0
    return 0.02 / (2 * n_layer) if name.endswith("c_proj.weight") else 0.02


def my_first_spread(name, n_layer):  # forgets the attention's projection
    if name.endswith("bias"):
        return 0.0
    return 0.02 / math.sqrt(2 * n_layer) if name.endswith("mlp.c_proj.weight") else 0.02


def my_first_spread(name, n_layer):  # the bias of c_proj becomes random
    if "c_proj" in name:
        return 0.02 / math.sqrt(2 * n_layer)
    return 0.0 if name.endswith("bias") else 0.02


def my_first_spread(name, n_layer):  # makes every matrix smaller
    return 0.0 if name.endswith("bias") else 0.02 / math.sqrt(2 * n_layer)


def my_first_spread(name, n_layer):  # counts the blocks up to this one
    if name.endswith("bias"):
        return 0.0
    if not name.endswith("c_proj.weight"):
        return 0.02
    return 0.02 / math.sqrt(2 * (int(name.split(".")[2]) + 1))


def my_first_spread(name, n_layer):  # wider instead of smaller
    if name.endswith("bias"):
        return 0.0
    return 0.02 * math.sqrt(2 * n_layer) if name.endswith("c_proj.weight") else 0.02


def my_gpt_size(vocab_size, n_embd, n_layer, block_size, bias):  # the head counted again
    C = n_embd
    block = 12 * C * C + 2 * C + bias * 11 * C
    return 2 * vocab_size * C + block_size * C + n_layer * block + (1 + bias) * C


def my_gpt_size(vocab_size, n_embd, n_layer, block_size, bias):  # no positions
    C = n_embd
    block = 12 * C * C + 2 * C + bias * 11 * C
    return vocab_size * C + n_layer * block + (1 + bias) * C


def my_gpt_size(vocab_size, n_embd, n_layer, block_size, bias):  # no last norm
    C = n_embd
    return (vocab_size + block_size) * C + n_layer * (12 * C * C + 2 * C + bias * 11 * C)


def my_gpt_size(vocab_size, n_embd, n_layer, block_size, bias):  # a last norm in each block
    C = n_embd
    block = 12 * C * C + 3 * C + bias * 12 * C
    return (vocab_size + block_size) * C + n_layer * block


def my_gpt_size(vocab_size, n_embd, n_layer, block_size, bias):  # the norms keep their biases
    C = n_embd
    block = 12 * C * C + 4 * C + bias * 9 * C
    return (vocab_size + block_size) * C + n_layer * block + 2 * C


def my_gpt_size(vocab_size, n_embd, n_layer, block_size, bias):  # one bias of C for each layer
    C = n_embd
    block = 12 * C * C + 2 * C + bias * 6 * C
    return (vocab_size + block_size) * C + n_layer * block + (1 + bias) * C


def my_gpt_size(vocab_size, n_embd, n_layer, block_size, bias):  # lm_head with a bias
    C = n_embd
    block = 12 * C * C + 2 * C + bias * 11 * C
    return (vocab_size + block_size) * C + n_layer * block + (1 + bias) * C + bias * vocab_size


def my_gpt_size(vocab_size, n_embd, n_layer, block_size, bias):  # c_attn as one square matrix
    C = n_embd
    block = 10 * C * C + 2 * C + bias * 9 * C
    return (vocab_size + block_size) * C + n_layer * block + (1 + bias) * C


def my_first_loss(vocab_size, logit_spread):  # the spread costs nothing
    return math.log(vocab_size)


def my_first_loss(vocab_size, logit_spread):  # the half is lost
    return math.log(vocab_size) + logit_spread**2


def my_first_loss(vocab_size, logit_spread):  # the spread, not the variance
    return math.log(vocab_size) + logit_spread / 2


def my_first_loss(vocab_size, logit_spread):  # in bits
    return math.log2(vocab_size) + logit_spread**2 / 2


def my_first_loss(vocab_size, logit_spread):  # a confident model is taken for a good one
    return math.log(vocab_size) - logit_spread**2 / 2


def my_first_loss(vocab_size, logit_spread):  # the logarithm of the first term only
    return math.log(vocab_size) + math.exp(logit_spread**2 / 2) - 1


def my_training_bytes(arrays):  # every number has 4 bytes
    return 16 * sum(a.size for a in {id(a): a for a in arrays}.values())


def my_training_bytes(arrays):  # the tied matrix twice
    return 4 * sum(a.nbytes for a in arrays)


def my_training_bytes(arrays):  # weights and gradients, no optimizer
    return 2 * sum(a.nbytes for a in {id(a): a for a in arrays}.values())


def my_training_bytes(arrays):  # one moment instead of two
    return 3 * sum(a.nbytes for a in {id(a): a for a in arrays}.values())


def my_training_bytes(arrays):  # what looks equal counts once
    different = []
    for a in arrays:
        if not any(np.array_equal(a, b) for b in different):
            different.append(a)
    return 4 * sum(a.nbytes for a in different)


def my_training_bytes(arrays):  # numbers instead of bytes
    return 4 * sum(a.size for a in {id(a): a for a in arrays}.values())
