"""Where a training step's time goes beside its matrix products: `bench.py --where SIZE`.

By the processor's time of one thread, which other programs' threads don't add to, though they do
take from its caches. It computes the shares of the batch one after another which threads would
compute side by side, so that all products have the shapes that they have there.
"""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from unittest.mock import patch

import numpy as np
from contender import Size, batch_for, products, size_of, training

from minigrad import attention, functional, gpt, losses, tensor, train
from minigrad.optim import AdamW
from minigrad.parallel import available_cores, blas_threads, divide_work

ROWS = {  # in this order, and what each is called in the table
    "linear": "linear layers: biases; numbers that are not in the cache",
    "causal_attention": "attention: softmax, masks, copies",
    "gelu": "gelu",
    "layer_norm": "layer norms",
    "add": "residual sums, forward",
    "embedding": "embeddings",
    "cross_entropy": "loss",
    "graph": "the graph: residual sums backward, gradients copied and added",
    "clip_grad_norm": "clipping",
    "step": "AdamW",
}
TIMED = [  # where the package looks the functions up, and which they are
    (functional, ["linear", "gelu", "layer_norm", "embedding"]),
    (attention, ["causal_attention"]),
    (gpt, ["cross_entropy"]),
    (tensor, ["add"]),
    (train, ["clip_grad_norm"]),
    (AdamW, ["step"]),
]


def weights(size: Size) -> int:
    """How many the matrices of the layers and the head have."""
    return 12 * size.n_layer * size.n_embd**2 + size.vocab_size * size.n_embd


def multiply_adds_a_token(size: Size, T: int) -> int:
    """How many its forward pass needs in matrix products, as one of T: those of the layers and the
    head, and attention's two over the half of the pairs that the mask leaves."""
    return weights(size) + size.n_layer * size.n_embd * (T + 1)


def multiply_adds(size: Size) -> int:
    """How many a training step needs in its matrix products; backward twice as many as forward."""
    B, T = batch_for(size)[0].shape
    return 3 * B * T * multiply_adds_a_token(size, T)


def shaped_products(size: Size, parts: int) -> tuple[Callable, Callable]:
    """Functions that do the matrix products of a training step, in the shapes and the order in
    memory that they have there, and nothing else: those of linear layers, those of attention."""
    (B, T), rng = batch_for(size)[0].shape, np.random.default_rng(0)
    B, C, n_head, TILE = B // parts, size.n_embd, size.n_head, attention.TILE
    normal = lambda *shape: rng.standard_normal(shape, dtype=np.float32)
    shapes = [(3 * C, C), (C, C), (4 * C, C), (C, 4 * C)] * size.n_layer
    matrices = [normal(*shape) for shape in [*shapes, (size.vocab_size, C)]]
    rows = {n: normal(B * T, n) for n in {n for matrix in matrices for n in matrix.shape}}
    q, k, v = attention.split_heads(normal(B, T, 3 * C), n_head)
    g = normal(B, T, n_head, C // n_head).swapaxes(1, 2)
    tiles = [(slice(i, i + TILE), slice(min(i + TILE, T))) for i in range(0, T, TILE)]
    weights = [normal(B, n_head, min(TILE, T - t.start), seen.stop) for t, seen in tiles]

    def linear():
        for w in parts * matrices:
            x, y = rows[w.shape[1]], rows[w.shape[0]]
            x @ w.T, y @ w, y.T @ x

    def attend():
        for (at, seen), w in parts * size.n_layer * list(zip(tiles, weights)):
            q[:, :, at] @ k[:, :, seen].swapaxes(-1, -2), w @ v[:, :, seen]
            w.swapaxes(-1, -2) @ g[:, :, at], g[:, :, at] @ v[:, :, seen].swapaxes(-1, -2)
            w @ k[:, :, seen], w.swapaxes(-1, -2) @ q[:, :, at]

    return linear, attend


class Stopwatch:
    """The thread's time by what it was spent for; what is called within something else that is
    timed counts for itself alone."""

    def __init__(self):
        self.seconds, self._names, self._since = Counter(), ["graph"], time.thread_time()

    def _note(self) -> None:
        now = time.thread_time()
        self.seconds[self._names[-1]] += now - self._since
        self._since = now

    def timing(self, name: str, function: Callable) -> Callable:
        def call(*args, **kwargs):
            self._note()
            self._names.append(name)
            try:
                return function(*args, **kwargs)
            finally:
                self._note()
                self._names.pop()

        return call

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within this block the package's functions are timed, and so are their derivatives."""
        record = tensor.record

        def record_timed(value, *inputs):
            name = self._names[-1]
            return record(value, *[(t, self.timing(name, vjp)) for t, vjp in inputs])

        with ExitStack() as stack:
            for owner, names in TIMED:
                for name in names:
                    timed = self.timing(name, getattr(owner, name))
                    stack.enter_context(patch.object(owner, name, timed))
            for module in (functional, attention, losses, tensor):
                stack.enter_context(patch.object(module, "record", record_timed))
            self._since = time.thread_time()
            yield
            self._note()


def spent(function: Callable, clock: Callable[[], float] = time.thread_time) -> float:
    start = clock()
    function()
    return clock() - start


def where(size_name: str, seconds: float) -> dict[str, float]:
    """Seconds by name, medians of the turns that are done in so many seconds, at least two; what
    is compared is measured in the same turn."""
    size = size_of(size_name)
    B, T = batch_for(size)[0].shape
    parts, _ = divide_work(weights(size), B, T)
    alone = dict(threads=1, parts=parts)  # its thread does what several would do side by side
    linear, attend = shaped_products(size, parts)
    square, step = products("numpy", size), training("minigrad", size)
    hollow = replace(size, n_head=1, n_embd=1, vocab_size=2, batch_size=parts)
    hollow_step = training("minigrad", hollow)
    step(), hollow_step()
    measured: dict[str, list[float]] = {}
    end, turns = time.monotonic() + seconds, 0
    while turns < 2 or time.monotonic() < end:
        turns += 1
        watch, found = Stopwatch(), {}
        with blas_threads(1):
            peak = 1024**3 / min(spent(square) for _ in range(5))
            found["floor"] = multiply_adds(size) / peak
            found |= {"linear products": spent(linear), "attention products": spent(attend)}
            with watch.watching():
                step(**alone)
            found |= {"hollow": spent(lambda: hollow_step(**alone)), **watch.seconds}
        found["total"] = watch.seconds.total()
        start = time.process_time()
        found["wall"] = spent(step, time.perf_counter)
        found["processor"] = time.process_time() - start
        for name, its in found.items():
            measured.setdefault(name, []).append(its)
    return {name: statistics.median(values) for name, values in measured.items()}


def table(size_names: list[str], seconds: float) -> str:
    """Milliseconds, and how many times the floor that is."""
    columns = []
    for name in size_names:
        t = where(name, seconds)
        slower = t["linear products"] + t["attention products"] - t["floor"]
        t["linear"] -= t["linear products"]
        t["causal_attention"] -= t["attention products"]
        idle = available_cores() * t["wall"] - t["processor"]
        rows = {"the floor: matrix products at the peak": t["floor"]}
        rows |= {"these products, in their shapes": slower}
        rows |= {text: t[name] for name, text in ROWS.items()}
        rows |= {"**together**": t["total"], "of this Python and calls": t["hollow"]}
        rows |= {"side by side: time of all threads": t["processor"], "time without work": idle}
        columns.append({text: (1000 * s, s / t["floor"]) for text, s in rows.items()})
    lines = [f"| one thread's time, ms (of the floor) | {' | '.join(size_names)} |"]
    lines.append("|---" * (1 + len(columns)) + "|")
    for text in columns[0]:
        cells = ["{:,.3g} ({:.2f})".format(*column[text]) for column in columns]
        lines.append(f"| {text} | {' | '.join(cells)} |")
    return "\n".join(lines)
