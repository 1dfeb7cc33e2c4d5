"""The GPT: sizes, names, initial loss, and GPT-2 folders."""

import json
import math

import numpy as np
import pytest

from minigrad.gpt import GPT, read_safetensors, write_safetensors
from minigrad.optim import AdamW


def small(seed=0, **options) -> GPT:
    sizes = {"vocab_size": 11, "n_embd": 16, "n_layer": 2, "n_head": 4, "block_size": 8, **options}
    return GPT(**sizes, rng=np.random.default_rng(seed))


def ids(*shape, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(11, size=shape)


@pytest.mark.slow
def test_gpt2_small_has_its_size_and_runs_forward_and_backward():
    model = GPT(rng=np.random.default_rng(0))
    assert model.num_parameters() == 124_439_808
    idx = np.random.default_rng(0).integers(50257, size=(1, 8))
    logits, loss = model(idx, idx)
    assert logits.shape == (1, 8, 50257)
    assert abs(loss.item() - math.log(50257)) < 1
    loss.backward()
    assert all(np.isfinite(p.grad).all() for p in model.parameters())


def test_loss_at_the_beginning_is_ln_vocab():
    _, loss = small()(ids(16, 8), ids(16, 8, seed=1))
    assert abs(loss.item() - math.log(11)) < 0.1


def test_state_dict_has_nanogpts_names_and_shapes():
    shapes = {name: array.shape for name, array in small().collect_state_dict().items()}
    block = {
        "ln_1.weight": (16,),
        "ln_1.bias": (16,),
        "attn.c_attn.weight": (48, 16),
        "attn.c_attn.bias": (48,),
        "attn.c_proj.weight": (16, 16),
        "attn.c_proj.bias": (16,),
        "ln_2.weight": (16,),
        "ln_2.bias": (16,),
        "mlp.c_fc.weight": (64, 16),
        "mlp.c_fc.bias": (64,),
        "mlp.c_proj.weight": (16, 64),
        "mlp.c_proj.bias": (16,),
    }
    expected = {"transformer.wte.weight": (11, 16), "transformer.wpe.weight": (8, 16)}
    expected |= {f"transformer.h.{i}.{name}": s for i in range(2) for name, s in block.items()}
    expected |= {"transformer.ln_f.weight": (16,), "transformer.ln_f.bias": (16,)}
    expected |= {"lm_head.weight": (11, 16)}
    assert list(shapes.items()) == list(expected.items())
    assert not any(name.endswith("bias") for name in small(bias=False).collect_state_dict())


def test_the_head_is_tied():
    model = small()
    assert model.lm_head.weight is model.transformer.wte.weight
    with_head = sum(a.size for a in model.collect_state_dict().values())
    assert with_head - model.num_parameters() == 11 * 16


def test_initial_spread():
    model = GPT(vocab_size=500, n_embd=256, n_layer=8, n_head=4, block_size=64)
    state = model.collect_state_dict()
    assert abs(state["transformer.h.0.mlp.c_fc.weight"].std() - 0.02) < 1e-3
    assert abs(state["transformer.h.0.mlp.c_proj.weight"].std() - 0.02 / 4) < 1e-3
    assert (state["transformer.h.3.attn.c_attn.bias"] == 0).all()
    assert (state["transformer.ln_f.weight"] == 1).all()


def test_later_tokens_do_not_change_earlier_logits():
    model, a = small(), ids(2, 8)
    b = a.copy()
    b[:, 5:] = (b[:, 5:] + 1) % 11
    np.testing.assert_allclose(model(a)[0].data[:, :5], model(b)[0].data[:, :5], atol=1e-6)


def test_learns_one_batch_by_heart():
    model, x, y = small(), ids(4, 8), ids(4, 8, seed=1)
    optimizer = AdamW(model.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        _, loss = model(x, y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5  # the same context may have different targets, so not quite 0


def test_dropout_is_off_in_evaluation():
    model = small(dropout=0.3)
    assert (model(ids(1, 8))[0].data != model(ids(1, 8))[0].data).any()
    model.eval()
    np.testing.assert_array_equal(model(ids(1, 8))[0].data, model(ids(1, 8))[0].data)


def test_the_same_seed_gives_the_same_model():
    a, b = small(3).collect_state_dict(), small(3).collect_state_dict()
    assert all((a[name] == b[name]).all() for name in a)


def test_errors():
    with pytest.raises(ValueError, match=r"shape \(batch, time\), got \(8,\)"):
        small()(ids(8))
    with pytest.raises(ValueError, match="block_size=8 tokens, got 9"):
        small()(ids(1, 9))
    with pytest.raises(ValueError, match="got 0"):
        small()(ids(1, 0))
    with pytest.raises(IndexError, match="rows 0 to 10.*to 11"):
        small()(np.array([[11]]))
    with pytest.raises(ValueError, match="n_layer must be at least 1, got 0"):
        small(n_layer=0)
    with pytest.raises(ValueError, match="n_embd must be a multiple of n_head"):
        small(n_head=3)


def test_pretrained_round_trip(tmp_path):
    model = small()
    model.save_pretrained(tmp_path / "a folder")
    other = GPT.from_pretrained(tmp_path / "a folder")
    np.testing.assert_array_equal(other(ids(2, 8))[0].data, model(ids(2, 8))[0].data)
    stored = read_safetensors(tmp_path / "a folder" / "model.safetensors")
    assert stored["transformer.h.0.attn.c_attn.weight"].shape == (16, 48)  # GPT-2's transpose
    assert "lm_head.weight" not in stored


def test_pretrained_with_openais_bare_names_masks_and_half_precision(tmp_path):
    model = small()
    model.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    bare = {name.removeprefix("transformer."): a for name, a in read_safetensors(path).items()}
    bare["h.0.attn.bias"] = np.tri(8, dtype=np.float32)[None, None]
    write_safetensors(path, bare)
    np.testing.assert_array_equal(
        GPT.from_pretrained(tmp_path)(ids(1, 4))[0].data, model(ids(1, 4))[0].data
    )


@pytest.mark.parametrize("kind", ["F16", "BF16", "F64"])
def test_safetensors_types(tmp_path, kind):
    values = np.array([[1.0, -2.5], [0.375, 1024.0]], dtype=np.float32)  # exact in all of them
    raw = {
        "F16": values.astype("<f2").tobytes(),
        "BF16": (values.view(np.uint32) >> 16).astype("<u2").tobytes(),
        "F64": values.astype("<f8").tobytes(),
    }[kind]
    header = {"x": {"dtype": kind, "shape": [2, 2], "data_offsets": [0, len(raw)]}}
    encoded = json.dumps(header).encode("utf-8")
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + raw)
    np.testing.assert_array_equal(read_safetensors(path)["x"], values)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:4],
        lambda raw: raw[:100],
        lambda raw: raw[:-4],
        lambda raw: (2**60).to_bytes(8, "little") + raw[8:],
        lambda raw: raw.replace(b'"F32"', b'"I32"'),
        lambda raw: raw.replace(b"[11, 16]", b"[11, 17]"),
        lambda raw: (2).to_bytes(8, "little") + b"[]",
    ],
)
def test_damaged_safetensors(tmp_path, damage):
    path = tmp_path / "model.safetensors"
    small().save_pretrained(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="no intact safetensors file"):
        read_safetensors(path)


def test_pretrained_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        GPT.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"vocab_size": 11}', encoding="utf-8")
    with pytest.raises(ValueError, match="no GPT-2 sizes.*'n_embd': None"):
        GPT.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"activation_function": "relu"}', encoding="utf-8")
    with pytest.raises(ValueError, match="not relu"):
        GPT.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="bias=False"):
        small(bias=False).save_pretrained(tmp_path)
