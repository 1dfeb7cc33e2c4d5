"""Against torch, where it is installed: every operation, the whole GPT, and twenty AdamW steps."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conftest import BINARY

torch = pytest.importorskip("torch", reason="torch, the reference, is not installed")

from torch_twin import Sizes, adamw, twin_of  # noqa: E402

from minigrad import functional as F  # noqa: E402
from minigrad import nn, optim  # noqa: E402
from minigrad.checkpoint import CheckpointError, load_model  # noqa: E402
from minigrad.gpt import GPT  # noqa: E402
from minigrad.losses import cross_entropy  # noqa: E402
from minigrad.optim import AdamW, clip_grad_norm, cosine_lr, decay_groups  # noqa: E402
from minigrad.tensor import Tensor, no_grad  # noqa: E402
from minigrad.weights import convert, load_torch  # noqa: E402

TF = torch.nn.functional
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-9}

# name: (in minigrad, in torch), both of one tensor with at least one axis
UNARY = {
    "neg": (lambda x: -x, lambda x: -x),
    "exp": (lambda x: x.exp(), torch.exp),
    "log": (lambda x: x.log(), torch.log),
    "sqrt": (lambda x: x.sqrt(), torch.sqrt),
    "sum": (lambda x: x.sum(), torch.sum),
    "sum axis": (lambda x: x.sum(axis=0), lambda x: x.sum(0)),
    "mean": (lambda x: x.mean(), torch.mean),
    "mean axis": (lambda x: x.mean(axis=-1, keepdims=True), lambda x: x.mean(-1, keepdim=True)),
    "max": (lambda x: x.max(axis=-1), lambda x: x.amax(-1)),
    "max all": (lambda x: x.max(), lambda x: x.amax()),
    "reshape": (lambda x: x.reshape(-1, 1), lambda x: x.reshape(-1, 1)),
    "transpose": (lambda x: x.transpose(0, -1), lambda x: x.transpose(0, -1)),
    "slice": (lambda x: x[..., 1:], lambda x: x[..., 1:]),
    "integers": (lambda x: x[np.array([0, 0, -1])], lambda x: x[torch.tensor([0, 0, -1])]),
    "cube": (lambda x: x**3, lambda x: x**3),
    "one over": (lambda x: 1 / x, lambda x: 1 / x),
    "two to the": (lambda x: 2**x, lambda x: 2**x),
    "relu": (F.relu, torch.relu),
    "tanh": (F.tanh, torch.tanh),
    "gelu": (F.gelu, lambda x: TF.gelu(x, approximate="tanh")),
    "softmax": (F.softmax, lambda x: torch.softmax(x, -1)),
    "softmax axis": (lambda x: F.softmax(x, axis=0), lambda x: torch.softmax(x, 0)),
    "log_softmax": (F.log_softmax, lambda x: torch.log_softmax(x, -1)),
    "cat": (lambda x: F.cat([x, x * 2], axis=-1), lambda x: torch.cat([x, x * 2], -1)),
    "stack": (lambda x: F.stack([x, x * 2], axis=1), lambda x: torch.stack([x, x * 2], 1)),
}
SMOOTH_ONLY_ABOVE_ZERO = {"log", "sqrt", "one over"}


def close(ours, theirs, tolerance) -> None:
    """Relative to the largest element: sums of float32 round differently, near zero too."""
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    scale = max(1e-3, np.abs(theirs).max(initial=0))
    assert np.abs(ours - theirs).max(initial=0) / scale < tolerance


def compare(ours, theirs, arrays, dtype) -> None:
    """Values and gradients of one operation on the same inputs."""
    inputs = [Tensor(a.astype(dtype), requires_grad=True) for a in arrays]
    twins = [torch.tensor(a.astype(dtype), requires_grad=True) for a in arrays]
    out, twin = ours(*inputs), theirs(*twins)
    close(out.data, twin, TOLERANCE[dtype])
    weights = np.random.default_rng(9).uniform(0.5, 1.5, out.shape).astype(dtype)
    out.backward(weights)
    twin.backward(torch.tensor(weights))
    for x, y in zip(inputs, twins):
        assert x.grad.dtype == dtype
        close(x.grad, y.grad, TOLERANCE[dtype])


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"], scope="module")
def dtype(request):
    return request.param


@pytest.mark.parametrize("name", BINARY)
@given(
    shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=5),
    seed=st.integers(0, 99),
)
def test_binary_operations(name, dtype, shapes, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.uniform(1.1, 2, shape) for shape in shapes.input_shapes]  # logs of one sign
    compare(BINARY[name], BINARY[name], arrays, dtype)


@pytest.mark.parametrize("name", UNARY)
@given(
    shape=hnp.array_shapes(min_dims=1, max_dims=4, min_side=2, max_side=5), seed=st.integers(0, 99)
)
def test_unary_operations(name, dtype, shape, seed):
    x = np.random.default_rng(seed).standard_normal(shape)
    if name in SMOOTH_ONLY_ABOVE_ZERO:
        x = np.abs(x) + 0.5
    compare(*UNARY[name], [x], dtype)


@given(
    batch=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3),
    n=st.integers(1, 5),
    k=st.integers(1, 5),
    m=st.integers(1, 5),
    vectors=st.sampled_from(["", "a", "b", "ab"]),
)
def test_matmul(dtype, batch, n, k, m, vectors):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((k,) if "a" in vectors else (*batch.input_shapes[0], n, k))
    b = rng.standard_normal((k,) if "b" in vectors else (*batch.input_shapes[1], k, m))
    compare(lambda a, b: a @ b, lambda a, b: a @ b, [a, b], dtype)


@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=4, max_side=8))
def test_layers(dtype, shape):
    rng = np.random.default_rng(0)
    x, n = rng.standard_normal(shape), shape[-1]
    w, b, m = rng.standard_normal(n), rng.standard_normal(n), rng.standard_normal((4, n))
    compare(F.layer_norm, lambda x, w, b: TF.layer_norm(x, (n,), w, b), [x, w, b], dtype)
    compare(F.linear, TF.linear, [x, m, rng.standard_normal(4)], dtype)
    ids = rng.integers(4, size=shape)
    compare(lambda w: F.embedding(w, ids), lambda w: TF.embedding(torch.tensor(ids), w), [m], dtype)
    targets = np.array(rng.integers(n, size=shape[:-1]))
    targets.flat[1::2] = -100  # which do not count
    theirs = lambda x: TF.cross_entropy(x.reshape(-1, n), torch.tensor(targets).reshape(-1))
    compare(lambda x: cross_entropy(x, targets), theirs, [x], dtype)


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=4))
def test_where(dtype, shapes):
    rng = np.random.default_rng(0)
    c, a, b = (rng.standard_normal(s) for s in shapes.input_shapes)
    theirs = lambda a, b: torch.where(torch.tensor(c > 0), a, b)
    compare(lambda a, b: F.where(c > 0, a, b), theirs, [a, b], dtype)


def test_dropout_given_the_same_mask(dtype):
    x = np.random.default_rng(0).standard_normal((3, 4))
    mask = np.random.default_rng(1).random((3, 4), dtype=np.float32) >= 0.25
    ours = lambda x: F.dropout(x, 0.25, np.random.default_rng(1))
    compare(ours, lambda x: x * torch.tensor(mask) / 0.75, [x], dtype)


# An ordinary line means the same in both: `tensor`, `P` (a parameter), `nn`, `optim`, `no_grad`.
SAME = """
x = tensor([1, 2]); y = x; x += 1; r = [x, y]
x = tensor([1, 2]); y = x; x *= tensor([3, 4]); r = y
x = tensor([4, 2]); x /= 2; x -= 1; x **= 2; r = x
x = tensor([[1, 2], [3, 4]]); x[0] += 1; x[:, 1] *= 2; x[x > 8] = 0; r = x
x = tensor([[1, 2], [3, 4]]); row = x[0]; row += 1; r = x
w = P([1, 2]); (w * w).sum().backward(); w.data -= 0.5 * w.grad; w.grad = None; r = w
w = P([1, 2]); h = w * 2; h += 1; h *= w; h.sum().backward(); r = [h, w.grad]
w = P([1, 2]); x = tensor([3, 4]); x += w; x.sum().backward(); r = [x, w.grad]
w = P([1, 2]); total = 0; total += (w * w).sum(); total += w.sum(); total.backward(); r = w.grad
w = P([1, 2]); s = sum([w, w * w]).sum(); s.backward(); r = w.grad
x = tensor([1, 2]); r = [x == 1, x != x, x < 1.5, 1.5 <= x, 2 > x, x >= tensor([[1], [2]])]
x = tensor([1, 2]); r = [x == None, x != None, x == "a"]
x = tensor([1, float("nan")]); r = [x == x, x != x, bool(x[1])]
r = [bool(tensor([0])), not tensor(0), 1 if tensor(-3) else 2, 1 in tensor([1, 2])]
a, b = tensor([[1, 2], [3, 4]]); r = [b, *a, len(a)]
r = [max(tensor(1), tensor(3)), min(tensor([3, 1])), sorted(tensor([3, 1])), sum(tensor([1, 2]))]
r = [float(tensor(2.5)), int(tensor(2.7)), f"{tensor(1.5):.2f}{tensor(1.5)}", +tensor(1)]
w = P([1, -2, 0]); abs(w).sum().backward(); r = w.grad
w = tensor([1, 2]); d = {w: 3}; r = [d[w], len({w, tensor([1, 2])}), w in [w]]
x = tensor([1, 2]); r = [np.float64(2) * x, x * np.float64(2), np.float64(2) ** x, 1 - x]
w = P(3); w.sum(0).backward(); r = w.grad
w = P([[1, 2], [3, 4]]); w[[0, 0]].sum().backward(); r = w.grad
w = P([1, 2, 3]); w[w > 1].sum().backward(); r = w.grad
x = tensor([1, 2]); x.requires_grad = True; (x * 2).sum().backward(); r = x.grad
w = P([1, 2]); c = copy.deepcopy(w); c.data += 1; r = [w, c, c.requires_grad]
w = P([1, 2]); r = [(w * 2).is_leaf, w.is_leaf, w.detach().requires_grad]
l = nn.Linear(2, 2); l.weight = P([[1, 2], [3, 4]]); l.bias = None; r = l(tensor([1, 1]))
l = nn.Linear(np.int64(2), np.uint8(3)); r = [*l.weight.shape, len(list(l.parameters()))]
l = nn.Linear(2, 2); o = optim.SGD(l.parameters(), lr=0.1); r = len(o.param_groups[0]["params"])
w = P([1, 2]); o = optim.AdamW([{"params": w}], lr=0.1); w.sum().backward(); o.step(); r = w
r = len(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.GELU()))
"""

REFUSED = """
y = P([1, 2]) * 2; y.requires_grad = False
y = P([1, 2]) * 2; y.requires_grad = True
x = tensor([1, 2]); x.requires_grad = "yes"
nn.Linear(2, 2).train("no")
nn.Linear(2, 2).train(1)
optim.AdamW(nn.Linear(2, 2).parameters(), betas=(0.9,))
w = P([1, 2]); w += 1
w = P([1, 2]); w[0] = 3
w = P([1, 2]); y = w.exp(); y[...] = 1; y.sum().backward()
w = P([1, 2]); x = tensor([3, 4]); y = w * x; x += 1; y.sum().backward()
w = P([1, 2]); y = (w * w).sum(); y.backward(); y.backward()
w = P([1, 2]); (w * 2).backward()
w = P([1, 2]); w.grad = tensor([1, 2, 3])
w = P([1, 2]); copy.deepcopy(w * 2)
x = tensor([1, 2]); x += tensor([[1, 2], [3, 4]])
tensor([1, 2]) == tensor([1, 2, 3])
tensor([1, 2]) < None
bool(tensor([0, 0]))
bool(tensor([]))
max(tensor([1, 2]), tensor([2, 1]))
list(tensor(3))
len(tensor(3))
float(tensor([1, 2]))
range(tensor(3))
f"{tensor([1.5]):.2f}"
tensor([1, 2]).sum(2)
tensor([1, 2]).sum((0, 0))
tensor([1, 2])[tensor([0, 1])]
tensor([1, 2])[0.0]
nn.Linear(2, 3)(np.ones((1, 2), np.float32))
nn.GELU()([1.0])
nn.LayerNorm(2)(1.0)
nn.Sequential(nn.Linear(2, 2), max)
nn.Sequential([nn.Linear(2, 2)])
nn.Sequential(nn.GELU)
nn.ModuleList([3])
nn.ModuleList(3)
nn.ModuleDict({"a": max})
nn.ModuleDict({"a.b": nn.GELU()})
l = nn.Linear(2, 2); l.weight = tensor([[1, 2], [3, 4]])
l = nn.Linear(2, 2); l.weight = l.weight * 2
l = nn.Linear(2, 2); l.weight = 3
m = nn.Sequential(nn.GELU()); setattr(m, "0", max)
nn.Linear(2.0, 3)
nn.Linear(2, None)
nn.Embedding(True, 3)
nn.Embedding(-1, 3)
nn.Dropout(1.5)
optim.SGD(P([1]), lr=0.1)
optim.SGD({"params": [P([1])]}, lr=0.1)
optim.SGD("w", lr=0.1)
optim.SGD([1.0], lr=0.1)
optim.SGD([P([1]) * 2], lr=0.1)
optim.SGD([], lr=0.1)
optim.SGD([{"lr": 0.1}], lr=0.1)
optim.SGD([P([1])], lr=-1)
w = P([1]); optim.SGD([{"params": [w]}, {"params": [w]}], lr=0.1)
w = P([1]); optim.SGD([w, {"params": [w]}], lr=0.1)
optim.AdamW([P([1])], betas=(1.0, 0.9))
optim.AdamW([P([1])], weight_decay=-1)
"""


def run_line(line: str, names: dict):
    names = {"np": np, "copy": copy, **names}
    exec(line, names)
    return names.get("r")


def plain(value):
    """Numbers, arrays and tensors of both libraries as arrays; all else as it is."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, torch.Tensor):
        return value.detach().numpy().astype(float)
    return np.asarray(value, float) if isinstance(value, (Tensor, np.ndarray, float)) else value


OURS = {
    "tensor": lambda x: Tensor(np.array(x, np.float32)),
    "P": lambda x: nn.Parameter(np.array(x, np.float32)),
    **{"nn": nn, "optim": optim, "no_grad": no_grad},
}
THEIRS = {
    "tensor": lambda x: torch.tensor(np.array(x, np.float32)),
    "P": lambda x: torch.nn.Parameter(torch.tensor(np.array(x, np.float32))),
    **{"nn": torch.nn, "optim": torch.optim, "no_grad": torch.no_grad},
}


@pytest.mark.parametrize("line", SAME.strip().splitlines())
def test_an_ordinary_line_computes_what_torch_computes(line):
    np.testing.assert_equal(plain(run_line(line, OURS)), plain(run_line(line, THEIRS)))


@pytest.mark.parametrize("line", REFUSED.strip().splitlines())
def test_an_ordinary_line_that_torch_refuses_is_refused(line):
    for names in (OURS, THEIRS):
        with pytest.raises((TypeError, ValueError, RuntimeError, IndexError, KeyError)):
            run_line(line, names)


def twins(sizes: Sizes) -> tuple[GPT, torch.nn.Module]:
    """The same weights in both, large enough that every part of the model matters."""
    model = GPT(**vars(sizes), rng=np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for p in model.parameters():
        p.data += rng.normal(0, 0.05, p.shape).astype(np.float32)
    return model, twin_of(model)


def batch(seed=0, size=4, length=16):
    rng = np.random.default_rng(seed)
    return rng.integers(65, size=(size, length)), rng.integers(65, size=(size, length))


@pytest.mark.parametrize("bias", [True, False])
def test_gpt_logits_loss_and_every_gradient(bias):
    model, twin = twins(Sizes(bias=bias))
    x, y = batch()
    logits, loss = model(x, y)
    twin_logits, twin_loss = twin(torch.tensor(x), torch.tensor(y))
    close(logits.data, twin_logits, 1e-4)
    assert abs(loss.item() - twin_loss.item()) < 1e-4
    loss.backward()
    twin_loss.backward()
    theirs = dict(twin.named_parameters())
    ours = dict(model.named_parameters())
    assert set(ours) == set(theirs)
    for name, p in ours.items():
        close(p.grad, theirs[name].grad, 1e-4)


def test_twenty_steps_of_adamw_with_clipping_and_schedule():
    model, twin = twins(Sizes())
    optimizer = AdamW(decay_groups(model.parameters(), 0.1), betas=(0.9, 0.99))
    twin_optimizer = adamw(twin, lr=1e-3)
    for step in range(20):
        lr = cosine_lr(step, 1e-3, 1e-4, 5, 20)
        for group in [*optimizer.param_groups, *twin_optimizer.param_groups]:
            group["lr"] = lr
        x, y = batch(seed=step)
        optimizer.zero_grad()
        twin_optimizer.zero_grad()
        model(x, y)[1].backward()
        twin(torch.tensor(x), torch.tensor(y))[1].backward()
        norm = clip_grad_norm(model.parameters(), 0.5)
        twin_norm = torch.nn.utils.clip_grad_norm_(twin.parameters(), 0.5)
        assert math.isclose(norm, twin_norm, rel_tol=1e-4) and norm > 0.5
        optimizer.step()
        twin_optimizer.step()
    theirs = dict(twin.named_parameters())
    for name, p in model.named_parameters():
        assert np.abs(p.data - theirs[name].detach().numpy()).max() < 1e-4, name


def test_adamw_where_gradients_come_late_and_are_missing(rng):
    params = [nn.Parameter(rng.standard_normal(3)) for _ in range(4)]
    twins_ = [torch.nn.Parameter(torch.tensor(p.data)) for p in params]
    optimizer, twin_optimizer = AdamW(params, lr=0.1), torch.optim.AdamW(twins_, lr=0.1)
    for step in range(12):
        for i, (p, twin) in enumerate(zip(params, twins_)):
            is_there = step >= 3 * i and rng.random() < 0.7
            p.grad = rng.standard_normal(3) if is_there else None
            twin.grad = torch.tensor(p.grad) if is_there else None
        optimizer.step()
        twin_optimizer.step()
    for p, twin in zip(params, twins_):
        close(p.data, twin, 1e-9)


@pytest.mark.parametrize("prefix", ["", "_orig_mod."])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_conversion_of_a_torch_checkpoint(tmp_path, prefix, dtype):
    sizes = Sizes()
    _, twin = twins(sizes)
    twin = twin.to(dtype).float()
    state = {prefix + name: p.to(dtype) for name, p in twin.state_dict().items()}
    state[f"{prefix}transformer.h.0.attn.bias"] = torch.ones(1, 1, 16, 16).tril()
    optimizer = torch.optim.AdamW(twin.parameters())
    x, y = batch()
    twin(torch.tensor(x), torch.tensor(y))[1].backward()
    checkpoint = {
        "model": state,
        "optimizer": optimizer.state_dict(),
        "model_args": {**vars(sizes), "dropout": 0.0},
        "iter_num": 10,
        "best_val_loss": torch.tensor(1.5),
        "config": {"device": "cpu", "compile": True},
    }
    torch.save(checkpoint, tmp_path / "ckpt.pt")
    convert(tmp_path / "ckpt.pt", tmp_path / "model.pkl")
    model, tokenizer = load_model(tmp_path / "model.pkl")
    assert tokenizer is None
    close(model(x)[0].data, twin(torch.tensor(x), torch.tensor(y))[0], 1e-4)


def test_conversion_of_views_with_strides(tmp_path):
    x = torch.arange(24.0).reshape(4, 6)
    views = {"t": x.T, "part": x[1:3, ::2], "scalar": x[2, 2], "empty": x[:0], "ints": x[0].long()}
    torch.save(views, tmp_path / "views.pt")
    for name, array in load_torch(tmp_path / "views.pt").items():
        np.testing.assert_array_equal(array, views[name].numpy())


def test_hugging_face_loads_and_writes_the_same_model(tmp_path):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    model, _ = twins(Sizes())
    x, _ = batch()
    model.save_pretrained(tmp_path / "ours")
    theirs = transformers.GPT2LMHeadModel.from_pretrained(tmp_path / "ours").eval()
    close(model(x)[0].data, theirs(torch.tensor(x)).logits, 1e-4)
    theirs.save_pretrained(tmp_path / "theirs")
    back = GPT.from_pretrained(tmp_path / "theirs")
    close(back(x)[0].data, theirs(torch.tensor(x)).logits, 1e-4)


def test_large_files_of_bfloat16_are_read(tmp_path):
    """They become twice as large."""
    part = torch.zeros(10 * 2**20, dtype=torch.bfloat16)
    torch.save({f"w{i}": part.clone() for i in range(4)}, tmp_path / "w.pt")
    loaded = load_torch(tmp_path / "w.pt")
    assert len(loaded) == 4 and loaded["w3"].dtype == np.float32


def test_storages_of_wide_numbers_that_are_read_as_narrow_ones_cost_what_they_take(tmp_path):
    class Again:
        def __init__(self, storage):
            self.storage = storage

        def __reduce__(self):
            kind = torch.bfloat16
            return torch._utils._rebuild_tensor_v3, (self.storage, 0, (), (), False, {}, kind)

    storage = torch.zeros(125_000, dtype=torch.float64).storage()
    torch.save([Again(storage) for _ in range(60)], tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="far more memory than its own size"):
        load_torch(tmp_path / "w.pt")
