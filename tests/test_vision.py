"""The vision part: pictures without torch, fine-tuning with it."""

import functools
import gzip
import io
import os
import re
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT
from minigrad.checkpoint import CheckpointError, load, save
from minigrad.vision import data, drawn, real
from minigrad.vision.data import DRAWN, OUTLINES, draw_images, few_labelled, load_images, resize
from minigrad.vision.encoder import pretrained_weights

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")
needs_weights = pytest.mark.skipif(
    pretrained_weights() is None, reason="the weights of EfficientNet are not installed"
)

if torch is not None:
    from minigrad.vision import finetune as ft
    from minigrad.vision.encoder import efficientnet, encode, small_encoder, to_tensor


@pytest.fixture(autouse=True)
def one_thread():
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads that wait for each other are slow on a busy machine
    yield
    torch.set_num_threads(before)


HIDE = """
import sys
import zlib
from importlib.machinery import PathFinder

class AllBut(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in {hidden!r} else super().find_spec(name, path, target)

sys.meta_path = [AllBut if finder is PathFinder else finder for finder in sys.meta_path]
"""


def without(tmp_path, *modules, code="", arguments=(), cwd=ROOT):
    """Run Python as on a machine where these modules are not installed."""
    (tmp_path / "sitecustomize.py").write_text(HIDE.format(hidden=modules), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-X", "utf8", *(["-c", code] if code else ["-m", *arguments])],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
    )


# Pictures


@pytest.mark.parametrize("task", DRAWN)
def test_drawn_pictures_are_seeded_balanced_and_in_range(task):
    images, again = (draw_images(task, 63, np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(images.pixels, again.pixels)
    assert np.array_equal(images.labels, again.labels)
    assert images.pixels.shape == (63, 3, 24, 24) and images.pixels.dtype == np.float32
    assert 0 <= images.pixels.min() < images.pixels.max() <= 1
    counts = np.bincount(images.labels)
    assert len(counts) == len(images.classes) and np.ptp(counts) <= 1
    other = draw_images(task, 63, np.random.default_rng(5))
    assert not np.array_equal(images.pixels, other.pixels)


def test_the_task_to_transfer_to_has_no_shape_of_the_pretraining():
    assert not set(DRAWN["shapes"]) & set(DRAWN["figures"])
    assert set(DRAWN["shapes"] + DRAWN["figures"]) == set(OUTLINES)


@pytest.mark.parametrize("name", OUTLINES)
def test_outlines_are_closed_and_fit(name):
    angle = np.linspace(-7, 7, 1000)
    radius = OUTLINES[name](angle)
    assert radius.shape == angle.shape and 0 < radius.min() and radius.max() <= 1.25
    assert np.allclose(OUTLINES[name](angle + 2 * np.pi), radius)


def test_outlines_by_hand():
    square, star = OUTLINES["square"], data.star(4, depth=0.4)
    assert np.allclose(square(np.array([0, np.pi / 4])), [1, np.sqrt(0.5)])  # corner, side
    assert np.allclose(star(np.array([0, np.pi / 4, np.pi / 8])), [1, 0.6, 0.8])


def test_resize_by_hand_and_back():
    pixels = np.array([[0.0, 4.0], [8.0, 12.0]])
    assert np.allclose(resize(pixels, 1), 6)
    assert np.allclose(resize(pixels, 2), pixels)
    assert np.allclose(resize(pixels, 4)[1], [2, 3, 5, 6])
    assert np.allclose(resize(np.full((2, 3, 7, 7), 0.25), 5), np.full((2, 3, 5, 5), 0.25))


def test_few_labelled_divides_without_overlap(rng):
    images = draw_images("shapes", 60, rng)
    images.pixels[:, 0, 0, 0] = np.arange(60)
    train, test = few_labelled(images, 3, 30, rng)
    assert np.array_equal(np.bincount(train.labels), [3] * 6) and len(test) == 30
    assert not set(train.pixels[:, 0, 0, 0]) & set(test.pixels[:, 0, 0, 0])
    with pytest.raises(ValueError, match="class circle has only 10 pictures, not 11"):
        few_labelled(images, 11, 30, rng)
    with pytest.raises(ValueError, match="no pictures are left"):
        few_labelled(images, 10, 30, rng)


def write_pictures(folder, n=6):
    for name, colour in (("a b", (255, 0, 0)), ("Ünlü", (0, 0, 255))):
        (folder / name).mkdir(parents=True)
        for i in range(n):
            Image.new("RGB", (30 + i, 20), colour).save(folder / name / f"{i}.png")


def test_a_folder_of_pictures(tmp_path):
    write_pictures(tmp_path)
    (tmp_path / "a b" / "notes.txt").write_text("no picture", encoding="utf-8")
    (tmp_path / "loose.png").touch()
    images = load_images(tmp_path, 8)
    assert images.classes == ["a b", "Ünlü"] and images.pixels.shape == (12, 3, 8, 8)
    assert np.allclose(images.pixels[0, :, 0, 0], [1, 0, 0])
    assert np.array_equal(images.labels, [0] * 6 + [1] * 6)


def test_grey_transparent_and_turned_pictures_are_read(tmp_path):
    for k, mode in enumerate(("L", "RGBA", "P", "1")):
        (tmp_path / mode).mkdir()
        Image.new(mode, (5, 9), 1).save(tmp_path / mode / f"{k}.PNG")
    turned = Image.new("RGB", (20, 10))
    turned.paste((255, 255, 255), (0, 0, 10, 10))  # the left half
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise: left becomes top
    turned.save(tmp_path / "L" / "turned.jpg", exif=exif)
    images = load_images(tmp_path, 4)
    assert len(images) == 5 and images.classes == ["1", "L", "P", "RGBA"]
    top_is_white = images.pixels[images.labels == 1][1]
    assert top_is_white[:, 0].min() > 0.9 and top_is_white[:, -1].max() < 0.1


RAMP = np.tile(np.linspace(0, 1, 32), (32, 1))


def mean_of(path) -> np.ndarray:
    """The mean red, green and blue of a picture, as it is read."""
    return data.read_picture(path, 16).mean(axis=(1, 2))


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_of_8_and_of_16_bits_is_the_same(tmp_path, suffix, dtype):
    values = (RAMP * np.iinfo(dtype).max).astype(dtype)
    Image.fromarray(values).save(tmp_path / f"ramp.{suffix}")
    np.testing.assert_allclose(mean_of(tmp_path / f"ramp.{suffix}"), 0.5, atol=0.01)


def test_integers_of_32_bits_are_read_as_16_and_what_tells_no_white_is_refused(tmp_path):
    path = tmp_path / "ramp.tif"
    Image.fromarray((RAMP * 65535).astype(np.int32)).save(path)
    np.testing.assert_allclose(mean_of(path), 0.5, atol=0.01)
    for values in (RAMP * 1e6, -RAMP, RAMP.astype(np.float32)):
        dtype = np.float32 if values.dtype == np.float32 else np.int32
        Image.fromarray(values.astype(dtype) - (values.min() < 0)).save(path)
        with pytest.raises(ValueError, match="cannot read .*ramp.tif: .* which of its numbers"):
            data.read_picture(path, 16)


def test_what_is_transparent_lies_on_white(tmp_path):
    path = tmp_path / "a.png"
    half = Image.new("RGBA", (20, 10), (255, 0, 0, 0))  # a red that nobody can see
    half.paste((0, 0, 255, 255), (0, 0, 20, 5))
    grey = Image.new("LA", (8, 8), (0, 0))
    palette = half.convert("P")
    palette.info["transparency"] = palette.getpixel((0, 9))
    for picture, expected in ((half, (0.5, 0.5, 1)), (palette, (0.5, 0.5, 1)), (grey, (1, 1, 1))):
        picture.save(path)
        np.testing.assert_allclose(mean_of(path), expected, atol=0.01)


def test_hidden_files_and_folders_are_no_pictures(tmp_path):
    write_pictures(tmp_path, n=2)
    for hidden in (".ipynb_checkpoints", "__MACOSX", "a b/.ipynb_checkpoints"):
        (tmp_path / hidden).mkdir()
        (tmp_path / hidden / "x.png").write_bytes(b"no picture")
    for hidden in (".DS_Store", "a b/.DS_Store", "a b/._0.png", "a b/Thumbs.db"):
        (tmp_path / hidden).write_bytes(b"no picture")
    images = load_images(tmp_path, 8)
    assert images.classes == ["a b", "Ünlü"] and len(images) == 4


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG of that size, without any pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.fromarray((RAMP * 255).astype(np.uint8)).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (png(60_000, 60_000), "decompression bomb"),
        (png(10_000, 10_000), "decompression bomb"),
        (png(10, 10), "."),
        (jpeg()[:-200], "[Tt]runcated"),
        (b"", "cannot identify"),
        (b"GIF89a", "."),
        (b"BM" + b"\0" * 60, "."),
        (b"RIFF\xff\xff\xff\xffWEBPVP8 ", "."),
        (b"II*\0\x08\0\0\0", "."),
    ],
)
def test_a_file_that_is_no_intact_picture_is_named_in_one_line(tmp_path, raw, message):
    path = tmp_path / "odd.png"
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=f"cannot read .*odd.png: .*{message}"):
        data.read_picture(path, 16)


def test_bad_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder 'nowhere'; or choose digits"):
        load_images("nowhere", 8)
    with pytest.raises(ValueError, match="needs a folder of pictures for each of two classes"):
        load_images(tmp_path, 8)
    write_pictures(tmp_path)
    (tmp_path / "a b" / "broken.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(ValueError, match="cannot read .*broken.png"):
        load_images(tmp_path, 8)


def test_files_of_fashion_mnist(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "FASHION", tmp_path)
    pixels, labels = np.arange(3 * 28 * 28, dtype=np.uint8), bytes([9, 0, 2])
    header = b"\0\0\x08\x03" + np.array([3, 28, 28], ">i4").tobytes()
    images_file = tmp_path / "t10k-images-idx3-ubyte.gz"
    images_file.write_bytes(gzip.compress(header + pixels.tobytes()))
    labels_file = tmp_path / "t10k-labels-idx1-ubyte.gz"
    labels_file.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x03" + labels))
    images = load_images("fashion", 28)
    assert images.labels.tolist() == [9, 0, 2] and images.classes[9] == "boot"
    assert np.allclose(images.pixels[1, 2] * 255, pixels.reshape(3, 28, 28)[1])
    labels_file.write_bytes(gzip.compress(b"something else"))
    with pytest.raises(ValueError, match="MNIST"):
        load_images("fashion", 28)
    monkeypatch.setattr(data, "FASHION", tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="dataset-fashion-mnist"):
        load_images("fashion", 28)


@pytest.mark.skipif(not data.FASHION.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_the_real_fashion_mnist():
    images = load_images("fashion", 28)
    assert images.pixels.shape == (10_000, 3, 28, 28)
    assert np.array_equal(np.bincount(images.labels), [1000] * 10)


def test_digits():
    pytest.importorskip("sklearn")
    images = load_images("digits", 16)
    assert images.pixels.shape == (1797, 3, 16, 16) and images.pixels.max() <= 1
    assert np.bincount(images.labels).min() == 174 and images.classes[7] == "7"


# Without torch


def test_without_torch_the_package_imports_and_says_what_is_missing(tmp_path):
    code = (
        "import sys\n"
        "from minigrad.vision import data, drawn, encoder, finetune, real\n"
        "assert 'torch' not in sys.modules and encoder.pretrained_weights() is None\n"
        "import numpy as np\n"
        "print(data.draw_images('figures', 2, np.random.default_rng(0)).pixels.shape)\n"
        "sys.exit(drawn.main([]))\n"
    )
    process = without(tmp_path, "torch", code=code)
    assert process.stdout == "(2, 3, 24, 24)\n"
    assert process.returncode == 2
    assert process.stderr == 'error: this needs PyTorch: pip install -e ".[vision]"\n'


@pytest.mark.parametrize("name", ["drawn", "real"])
def test_help_needs_no_torch(tmp_path, name):
    process = without(tmp_path, "torch", arguments=[f"minigrad.vision.{name}", "--help"])
    assert process.returncode == 0, process.stderr
    for option in ("--method", "--steps", "--labelled", "--seed", "--data", "--out-dir"):
        assert option in process.stdout


def test_torch_is_imported_in_this_folder_only():
    pattern = re.compile(r"^\s*(import|from) torch", re.MULTILINE)
    files = [
        path
        for path in (ROOT / "minigrad").rglob("*.py")
        if pattern.search(path.read_text("utf-8"))
    ]
    assert {path.parent.name for path in files} == {"vision"}


def test_the_data_module_does_not_import_torch():
    code = "import sys, minigrad.vision.data; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


# With torch


@needs_torch
def test_the_small_encoder_is_seeded_and_leaves_torch_alone():
    state = torch.random.get_rng_state()
    first, second, other = small_encoder(3), small_encoder(3), small_encoder(4)
    assert torch.equal(torch.random.get_rng_state(), state)
    pixels = draw_images("shapes", 5, np.random.default_rng(0)).pixels
    assert encode(first, pixels).shape == (5, 128)
    assert torch.equal(encode(first, pixels), encode(second, pixels))
    assert not torch.allclose(encode(first, pixels), encode(other, pixels))


@needs_torch
def test_encode_uses_and_keeps_the_mode():
    encoder = small_encoder().train()
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    pixels = draw_images("shapes", 300, np.random.default_rng(0)).pixels
    features = encode(encoder, pixels)
    assert encoder.training and not features.requires_grad
    assert all(torch.equal(before[name], t) for name, t in encoder.state_dict().items())
    assert torch.allclose(encode(encoder, pixels[-3:]), features[-3:], atol=1e-5)


def test_pictures_go_in_from_minus_one_to_one():
    if torch is None:
        pytest.skip("torch is not installed")
    pixels = np.zeros((2, 3, 4, 4), np.float32)
    pixels[1] = 1
    tensor = to_tensor(pixels)
    assert tensor.min() == -1 and tensor.max() == 1 and tensor.shape == (2, 3, 4, 4)


@pytest.fixture(scope="module")
def transfer():
    """A small encoder that knows shapes, and figures to learn."""
    if torch is None:
        pytest.skip("torch is not installed")
    torch.set_num_threads(1)
    encoder = ft.pretrain(steps=150)
    images = draw_images("figures", 600, np.random.default_rng(1))
    return encoder, *few_labelled(images, 10, 300, np.random.default_rng(1))


def state_of(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_what_each_method_changes(transfer):
    encoder, train, _ = transfer
    before = state_of(encoder)
    changed = {}
    for method in ft.METHODS:
        classifier = ft.finetune(encoder, train, method, steps=5)
        after = classifier[0].state_dict()
        changed[method] = {name for name in before if not torch.equal(before[name], after[name])}
        assert not classifier.training
        assert not any(module.training for module in classifier.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in encoder.state_dict().items())
    weights = {name for name, _ in encoder.named_parameters()}
    assert changed["probe"] == set()
    assert changed["full"] == weights  # and no running average
    averages = {name for name in before if name.endswith(("running_mean", "running_var"))}
    assert changed["scratch"] >= averages | {n for n in weights if before[n].ndim > 1}


def test_scratch_does_not_start_from_the_encoder(transfer):
    encoder, train, _ = transfer
    other = small_encoder(9)
    one, two = (ft.finetune(start, train, "scratch", steps=2) for start in (encoder, other))
    for (name, a), b in zip(one.state_dict().items(), two.state_dict().values()):
        assert torch.equal(a, b), name


def test_the_same_seed_gives_the_same_classifier(transfer):
    encoder, train, _ = transfer
    for method in ft.METHODS:
        a, b, c = (ft.finetune(encoder, train, method, steps=3, seed=s) for s in (1, 1, 2))
        assert torch.equal(a[1].weight, b[1].weight)
        assert not torch.equal(a[1].weight, c[1].weight)


def test_the_probe_is_logistic_regression_on_the_features(transfer):
    encoder, train, _ = transfer
    losses = []
    classifier = ft.finetune(encoder, train, "probe", steps=80, on_step=losses.append)
    assert len(losses) == 80 and np.mean(losses[-10:]) < 0.5 * losses[0]
    logits = encode(encoder, train.pixels) @ classifier[1].weight.T + classifier[1].bias
    assert torch.allclose(logits, encode(classifier, train.pixels), atol=1e-4)


def test_transfer_pays_with_few_labels(transfer):
    encoder, train, test = transfer
    results = ft.compare(encoder, train, test, steps=50)
    shares = {method: results[method]["accuracy"] for method in ft.METHODS}
    assert shares["probe"] > shares["scratch"] + 0.2
    assert shares["full"] > shares["scratch"] + 0.2
    assert results["probe"]["learned"] == 129 * 6
    assert results["full"]["learned"] == results["scratch"]["learned"] == 97_680 + 129 * 6
    assert all(results[method]["seconds"] > 0 for method in ft.METHODS)


def test_settle_takes_plain_means(transfer):
    norm = torch.nn.BatchNorm2d(3)
    inputs = torch.randn(130, 3, 2, 2, generator=torch.Generator().manual_seed(0)) * 5 + 2
    ft.settle(norm, inputs[:65])  # one more than a batch: no batch of a single picture
    ft.settle(norm, inputs)
    assert norm.momentum == 0.1
    parts = inputs.tensor_split(3)
    means = torch.stack([part.mean(dim=(0, 2, 3)) for part in parts]).mean(dim=0)
    assert torch.allclose(norm.running_mean, means, atol=1e-5)


def test_a_classifier_survives_its_file(transfer, tmp_path):
    encoder, train, test = transfer
    classifier = ft.finetune(encoder, train, "full", steps=3)
    facts = {"encoder": "small", "size": 24, "classes": train.classes, "accuracy": 0.5}
    ft.save_classifier(tmp_path / "c.pkl", classifier, facts)
    again, facts_again = ft.load_classifier(tmp_path / "c.pkl")
    assert facts_again == facts and not again.training
    assert torch.equal(encode(again, test.pixels), encode(classifier, test.pixels))
    content = load(tmp_path / "c.pkl")  # no torch is needed to read it
    assert all(isinstance(array, np.ndarray) for array in content["model"].values())


@needs_torch
@pytest.mark.parametrize(
    "content",
    [
        {"model": {}},
        {"facts": {"encoder": "small", "size": 24, "classes": ["a", "b"]}, "model": {}},
        {"facts": {"encoder": "small"}, "model": {}},
        {"facts": None, "model": None},
    ],
)
def test_other_files_are_no_classifiers(content, tmp_path):
    save(tmp_path / "x.pkl", content)
    with pytest.raises(CheckpointError, match="no intact checkpoint of a classifier"):
        ft.load_classifier(tmp_path / "x.pkl")


@needs_torch
@needs_weights
def test_imagenet_features_help_with_digits(tmp_path):
    pytest.importorskip("sklearn")
    images = load_images("digits", 32)
    train, test = few_labelled(images, 5, 200, np.random.default_rng(0))
    encoder = efficientnet(32, pretrained_weights())
    assert sum(p.numel() for p in encoder.parameters()) == 3_371_008
    assert encode(encoder, train.pixels[:2]).shape == (2, 1280)
    classifier = ft.finetune(encoder, train, "probe", steps=30)
    assert ft.accuracy(classifier, test) > 0.5
    facts = {"encoder": "efficientnet", "size": 32, "classes": train.classes}
    ft.save_classifier(tmp_path / "c.pkl", classifier, facts)
    again, _ = ft.load_classifier(tmp_path / "c.pkl")
    assert torch.equal(encode(again, test.pixels[:9]), encode(classifier, test.pixels[:9]))


# Commands


@needs_torch
def test_drawn_trains_prints_and_saves(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(ft, "pretrain", functools.partial(ft.pretrain, steps=20))
    options = ["--method", "probe", "--steps", "10", "--labelled", "3", "--out-dir", str(tmp_path)]
    assert drawn.main([*options, "--data", "colours"]) == 0
    out = capfd.readouterr().out
    assert re.search(r"colours: 18 labelled pictures of 6 classes, judged on 600 others", out)
    share = re.search(r"probe +accuracy +([0-9.]+)%", out)
    _, facts = ft.load_classifier(tmp_path / "colours-probe.pkl")
    assert f"{facts['accuracy']:.1%}" == share[1] + "%"
    assert facts["method"] == "probe" and facts["steps"] == 10 and facts["seed"] == 0


@needs_torch
def test_real_reads_a_folder_and_says_where_its_encoder_is_from(tmp_path, capfd, monkeypatch):
    write_pictures(tmp_path / "photos")
    monkeypatch.setattr(real, "pretrained_weights", lambda: None)
    monkeypatch.setattr(ft, "pretrain", lambda seed, on_step: small_encoder(seed))
    monkeypatch.chdir(tmp_path)
    options = ["--data", "photos/", "--labelled", "2", "--steps", "4"]
    assert real.main(options) == 0
    out = capfd.readouterr().out
    assert "no weights from ImageNet" in out and "learns drawn shapes instead" in out
    assert "photos: 4 labelled pictures of 2 classes, judged on 8 others" in out
    for method in ft.METHODS:
        _, facts = ft.load_classifier(tmp_path / "out" / "vision" / f"photos-{method}.pkl")
        assert facts["classes"] == ["a b", "Ünlü"]


@needs_torch
@pytest.mark.parametrize(
    "command, options, message",
    [
        (drawn, ["--steps", "0"], "--steps is too small: 0"),
        (drawn, ["--labelled", "0"], "--labelled is too small: 0"),
        (drawn, ["--seed", "-1"], "--seed is too small: -1"),
        (drawn, ["--data", "photos"], "invalid choice: 'photos'"),
        (real, ["--data", "nowhere"], "no folder 'nowhere'"),
        (real, ["--data", "digits", "--labelled", "500"], "class 0 has only 178 pictures, not 500"),
        (real, ["--size", "-3", "--data", "digits"], "--size must be at least 16, got -3"),
    ],
)
def test_bad_options_end_with_a_sentence(command, options, message, capsys):
    if "digits" in options:
        pytest.importorskip("sklearn")
    with pytest.raises(SystemExit) as raised:
        command.main(options)
    assert raised.value.code == 2
    assert message in capsys.readouterr().err


@needs_torch
def test_ctrl_c_ends_quietly(monkeypatch, capsys):
    def interrupt(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(ft, "pretrain", interrupt)
    with pytest.raises(SystemExit) as raised:
        drawn.main(["--steps", "5"])
    assert raised.value.code == 130
    assert "interrupted" in capsys.readouterr().err
