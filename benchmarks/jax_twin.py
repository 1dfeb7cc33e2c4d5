"""The same GPT in JAX, under the same names: a training step compiled as a whole by XLA."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np


def first_params(
    vocab_size: int, n_embd: int, n_layer: int, block_size: int, seed: int = 0, **_
) -> dict[str, jax.Array]:
    """Numbers to start from, as nanoGPT draws them; made without loading minigrad."""
    C, rng = n_embd, np.random.default_rng(seed)
    shapes = {"transformer.wte.weight": (vocab_size, C), "transformer.wpe.weight": (block_size, C)}
    for i in range(n_layer):
        for name, (n_out, n_in) in {
            "attn.c_attn": (3 * C, C),
            "attn.c_proj": (C, C),
            "mlp.c_fc": (4 * C, C),
            "mlp.c_proj": (C, 4 * C),
        }.items():
            shapes[f"transformer.h.{i}.{name}.weight"] = (n_out, n_in)
            shapes[f"transformer.h.{i}.{name}.bias"] = (n_out,)
        for name in ("ln_1", "ln_2"):
            shapes |= {f"transformer.h.{i}.{name}.{kind}": (C,) for kind in ("weight", "bias")}
    shapes |= {f"transformer.ln_f.{kind}": (C,) for kind in ("weight", "bias")}

    def first(name: str, shape: tuple) -> np.ndarray:
        if len(shape) == 1:
            return np.full(shape, name.endswith("weight"), np.float32)
        spread = 0.02 / math.sqrt(2 * n_layer) if "c_proj" in name else 0.02
        return spread * rng.standard_normal(shape, dtype=np.float32)

    return {name: jnp.asarray(first(name, shape)) for name, shape in shapes.items()}


def params_of(model) -> dict[str, jax.Array]:
    """Those of a minigrad GPT; its head is its table of embeddings."""
    return {name: jnp.array(p.data) for name, p in model.named_parameters()}


def logits_of(params: dict, idx, n_layer: int, n_head: int):
    """ids (B, T) -> logits (B, T, vocab)."""

    def linear(name, x):
        return x @ params[f"{name}.weight"].T + params[f"{name}.bias"]

    def layer_norm(name, x):
        unit = x - x.mean(-1, keepdims=True)
        unit *= jax.lax.rsqrt((unit * unit).mean(-1, keepdims=True) + 1e-5)
        return unit * params[f"{name}.weight"] + params[f"{name}.bias"]

    B, T = idx.shape
    table = params["transformer.wte.weight"]
    x = table[idx] + params["transformer.wpe.weight"][:T]
    for i in range(n_layer):
        at = f"transformer.h.{i}"
        qkv = linear(f"{at}.attn.c_attn", layer_norm(f"{at}.ln_1", x))
        q, k, v = jnp.moveaxis(qkv.reshape(B, T, 3, n_head, -1), 2, 0)
        y = jax.nn.dot_product_attention(q, k, v, is_causal=True)
        x = x + linear(f"{at}.attn.c_proj", y.reshape(B, T, -1))
        h = linear(f"{at}.mlp.c_fc", layer_norm(f"{at}.ln_2", x))
        x = x + linear(f"{at}.mlp.c_proj", jax.nn.gelu(h, approximate=True))
    return layer_norm("transformer.ln_f", x) @ table.T


def loss_of(params: dict, idx, targets, n_layer: int, n_head: int):
    """The mean cross-entropy."""
    logs = jax.nn.log_softmax(logits_of(params, idx, n_layer, n_head))
    return -jnp.take_along_axis(logs, targets[..., None], axis=-1).mean()


@functools.partial(jax.jit, static_argnames=("n_layer", "n_head"), donate_argnums=(0, 1))
def train_step(
    params: dict,
    state: tuple,
    idx,
    targets,
    lr: float,
    grad_clip: float,
    n_layer: int,
    n_head: int,
    weight_decay: float = 0.1,
    betas: tuple[float, float] = (0.9, 0.99),
):
    """What minigrad.train.train_step does, with AdamW; state: (steps taken, m, v)."""
    loss, grads = jax.value_and_grad(loss_of)(params, idx, targets, n_layer, n_head)
    norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in grads.values()))
    scale = jnp.minimum(1.0, grad_clip / norm)
    t, m, v = state[0] + 1, {}, {}
    correction = jnp.sqrt(1 - betas[1] ** t)
    step_size, new = lr * correction / (1 - betas[0] ** t), {}
    for name, p in params.items():
        g = grads[name] * scale
        m[name] = betas[0] * state[1][name] + (1 - betas[0]) * g
        v[name] = betas[1] * state[2][name] + (1 - betas[1]) * g * g
        kept = p * (1 - lr * weight_decay) if p.ndim >= 2 else p
        new[name] = kept - step_size * m[name] / (jnp.sqrt(v[name]) + 1e-8 * correction)
    return new, (t, m, v), loss


def trainer(params: dict, n_layer: int, n_head: int, lr: float, grad_clip: float):
    """A function of a batch that takes a step and returns the loss; it keeps what changes."""
    zeros = lambda: {name: jnp.zeros_like(p) for name, p in params.items()}
    now = [params, (0, zeros(), zeros())]

    def step(idx, targets) -> float:
        *now[:], loss = train_step(*now, idx, targets, lr, grad_clip, n_layer, n_head)
        return loss.item()

    return step
