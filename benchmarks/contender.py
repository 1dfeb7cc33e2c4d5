"""One measurement in a process of its own: prints its times and its peak memory as JSON.

python benchmarks/contender.py ENGINE TASK SIZE [--repeat N]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace

import numpy as np

VOCAB = 65


@dataclass(frozen=True)
class Size:
    n_layer: int
    n_head: int
    n_embd: int
    block_size: int
    batch_size: int
    vocab_size: int = VOCAB
    dropout: float = 0.0

    def model_options(self) -> dict:
        return {k: v for k, v in asdict(self).items() if k != "batch_size"}


SIZES = {
    "tiny": Size(2, 2, 32, 16, 8),
    "small": Size(4, 4, 128, 64, 12),
    "medium": Size(6, 6, 384, 256, 8),
    "gpt2": Size(12, 12, 768, 1024, 4, vocab_size=50257),
}
GPT2_TOKENS = 256  # of the 1024 that a step of GPT-2 small could take


def size_of(name: str) -> Size:
    """A name of SIZES, or one with a change, such as small:n_embd=256."""
    base, _, change = name.partition(":")
    key, _, value = change.partition("=")
    size = SIZES[base]
    return replace(size, **{key: type(getattr(size, key))(value)}) if change else size


def batch_for(size: Size) -> tuple[np.ndarray, np.ndarray]:
    tokens = min(size.block_size, GPT2_TOKENS) if size.vocab_size > VOCAB else size.block_size
    rng = np.random.default_rng(1)
    shape = (size.batch_size, tokens)
    return rng.integers(size.vocab_size, size=shape), rng.integers(size.vocab_size, size=shape)


def minigrad_model(size: Size):
    from minigrad.gpt import GPT

    return GPT(**size.model_options(), rng=np.random.default_rng(0))


def torch_model(size: Size, seed: int = 0):
    """A twin that starts as nanoGPT does, made without loading minigrad."""
    import torch
    from torch_twin import Sizes, TorchGPT

    torch.manual_seed(seed)
    twin = TorchGPT(Sizes(**size.model_options()))
    for name, p in twin.named_parameters():
        if p.dim() > 1:
            smaller = (2 * size.n_layer) ** -0.5 if name.endswith("c_proj.weight") else 1
            torch.nn.init.normal_(p, std=0.02 * smaller)
        elif name.endswith("bias"):
            torch.nn.init.zeros_(p)
    return twin


def training(engine: str, size: Size):
    """A function that takes one training step."""
    idx, targets = batch_for(size)
    if engine == "minigrad":
        from minigrad import train
        from minigrad.optim import AdamW, decay_groups
        from minigrad.parallel import keep_freed_memory

        keep_freed_memory()  # as the command of training does
        model = minigrad_model(size)
        optimizer = AdamW(decay_groups(model.parameters(), 0.1), lr=1e-4, betas=(0.9, 0.99))
        step = lambda **how: train.train_step(model, optimizer, idx, targets, 1.0, **how)
        return step
    if engine == "jax":
        import jax_twin

        params = jax_twin.first_params(**size.model_options())
        step = jax_twin.trainer(params, size.n_layer, size.n_head, lr=1e-4, grad_clip=1.0)
        return lambda: step(idx, targets)
    import torch
    from torch_twin import adamw, train_step

    twin = torch_model(size)
    optimizer = adamw(twin, lr=1e-4)
    if engine == "compiled":
        twin.compile()
    idx, targets = torch.tensor(idx), torch.tensor(targets)
    return lambda: train_step(twin, optimizer, idx, targets, grad_clip=1.0)


def forward(engine: str, size: Size):
    """A function that computes the loss of a batch, without gradients."""
    idx, targets = batch_for(size)
    if engine == "minigrad":
        from minigrad.tensor import no_grad

        model = minigrad_model(size)
        return no_grad()(lambda: model(idx, targets)[1].item())
    import torch

    twin, idx, targets = torch_model(size), torch.tensor(idx), torch.tensor(targets)
    return torch.no_grad()(lambda: twin(idx, targets)[1].item())


def generation(engine: str, size: Size):
    """A function that writes new tokens after a prompt, with a cache, and how many they are."""
    new, prompt = (40, 8) if size.vocab_size > VOCAB else (size.block_size - 4, 4)
    idx = np.arange(prompt)[None]
    if engine == "minigrad":
        from minigrad.generate import generate

        model = minigrad_model(size).eval()
        return lambda: generate(model, idx, new, rng=np.random.default_rng(0)), new
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        _save_from_another_process(size, folder)
        model = transformers.GPT2LMHeadModel.from_pretrained(folder).eval()
    options = dict(max_new_tokens=new, min_new_tokens=new, do_sample=True, top_k=0, pad_token_id=0)
    idx = torch.tensor(idx)
    mask = torch.ones_like(idx)

    @torch.no_grad()
    def write():
        assert model.generate(idx, attention_mask=mask, **options).shape[1] == prompt + new

    return write, new


def _save_from_another_process(size: Size, folder: str) -> None:
    """The weights that minigrad has, without its memory."""
    code = f"from contender import *; minigrad_model({size!r}).save_pretrained({folder!r})"
    here = __file__.rpartition("contender.py")[0] or "."
    subprocess.run([sys.executable, "-c", code], cwd=here, check=True)


def products(engine: str, size: Size):
    """The speed of plain matrix products, by which the floor of the scaling plots is computed."""
    a = np.random.default_rng(0).standard_normal((2, 1024, 1024), dtype=np.float32)
    return lambda: a[0] @ a[1]


def imports(engine: str, size: Size):
    """The time of an import in a fresh interpreter, measured from inside it: of NumPy, of torch,
    or of all that training and writing with minigrad needs."""
    line = {"minigrad": "import minigrad.train, minigrad.generate"}.get(engine, f"import {engine}")
    code = f"import time; t = time.perf_counter(); {line}; print(time.perf_counter() - t)"
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return lambda: float(subprocess.check_output([sys.executable, "-c", code], env=env))


def peak_memory() -> float:
    """The most memory that this process ever had, in MB."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measure(engine: str, task: str, size_name: str, repeat: int, warm_up: int) -> dict:
    size = size_of(size_name)
    run = globals()[task](engine, size)
    run, tokens = run if isinstance(run, tuple) else (run, None)  # only generation counts them
    times = []
    for i in range(warm_up + repeat):
        start = time.perf_counter()
        value = run()
        elapsed = value if task == "imports" else time.perf_counter() - start
        if i >= warm_up:
            times.append(elapsed)
    return {"times": times, "memory": peak_memory(), "tokens": tokens}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=["minigrad", "torch", "compiled", "jax", "numpy"])
    parser.add_argument(
        "task", choices=["training", "forward", "generation", "products", "imports"]
    )
    parser.add_argument("size", help="tiny, small, medium, gpt2, or such as small:n_embd=256")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--warm-up", type=int, default=3)
    args = parser.parse_args()
    print(json.dumps(measure(args.engine, args.task, args.size, args.repeat, args.warm_up)))


if __name__ == "__main__":
    main()
