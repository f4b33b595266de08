"""Images of every mode come to 8 bits as a person would see them, wherever they lie."""

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from autoreg.datasets import datasets
from autoreg.datasets.image_folder import image_folder
from autoreg.datasets.images.encoded import open_image
from autoreg.datasets.images.pixels import FIRST, OVER_WHITE, SCALED, remarks_of
from autoreg.errors import DataError, DataWarning
from tests.helpers.command_line import autoreg

SIDE = 16
GREY = np.arange(SIDE * SIDE, dtype=np.uint8).reshape(SIDE, SIDE)
COLOUR = np.stack([GREY, GREY.T, GREY[::-1]], 2)
ALPHA = (
    np.where(np.arange(SIDE) < 5, 0, np.where(np.arange(SIDE) < 10, 128, 255)).astype(np.uint8)[None].repeat(SIDE, 0)
)
Pixels = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def stored(image: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def over_white(colour: Pixels, alpha: Pixels) -> Pixels:
    share = alpha[..., None] / 255
    return colour * share + 255 * (1 - share)  # type: ignore[no-any-return]


def grey(values: Pixels) -> Pixels:
    return values[..., None].repeat(3, 2)


def wide(values: Pixels = GREY) -> Pixels:
    """The same grey with 16 bits, and something in the lower ones."""
    return values.astype(np.uint16) * 256 + 77


def without_the_tag(image: bytes, tag: int, value: int) -> bytes:
    """A TIFF in which a short tag has another value."""
    content = bytearray(image)
    start = int.from_bytes(content[4:8], "little")
    for entry in range(start + 2, start + 2 + 12 * int.from_bytes(content[start : start + 2], "little"), 12):
        if int.from_bytes(content[entry : entry + 2], "little") == tag:
            content[entry + 8 : entry + 10] = value.to_bytes(2, "little")
    return bytes(content)


def with_alpha(mode: str) -> Image.Image:
    image = Image.fromarray(COLOUR if mode.startswith("RGB") else GREY)
    image.putalpha(Image.fromarray(ALPHA))
    return image


def palette_with_alpha() -> Image.Image:
    image = Image.fromarray(COLOUR).quantize(16)
    image.info["transparency"] = bytes([0, 128] + [255] * 14)
    return image


def palette_over_white() -> Pixels:
    image = palette_with_alpha()
    colours = np.array(image.getpalette()).reshape(-1, 3)[np.asarray(image)]
    return over_white(colours, np.array([0, 128] + [255] * 14)[np.asarray(image)])


KEYED = np.where((COLOUR[3, 4] == COLOUR).all(2)[..., None], 255, COLOUR)
FLOATS = np.linspace(0, 1, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
#: Files of images, their pixels by NumPy, and what is said of them.
FILES: dict[str, tuple[bytes, Pixels, tuple[str, ...]]] = {
    "grey": (stored(Image.fromarray(GREY)), grey(GREY), ()),
    "colour": (stored(Image.fromarray(COLOUR)), COLOUR, ()),
    "black and white": (stored(Image.fromarray(GREY > 99)), grey(np.where(GREY > 99, 255, 0)), ()),
    "palette": (
        stored(Image.fromarray(COLOUR).quantize(16)), np.asarray(Image.fromarray(COLOUR).quantize(16).convert("RGB")),
        ()),
    "CMYK": (stored(Image.fromarray(COLOUR).convert("CMYK"), "TIFF"), COLOUR, ()),
    "16 bits, PNG": (stored(Image.fromarray(wide())), grey(GREY), (SCALED,)),
    "16 bits, TIFF": (stored(Image.fromarray(wide()), "TIFF"), grey(GREY), (SCALED,)),
    "16 bits, PGM": (stored(Image.fromarray(wide()), "PPM"), grey(GREY), (SCALED,)),
    "16 bits, white is 0": (
        without_the_tag(stored(Image.fromarray(wide()), "TIFF"), 262, 0), grey(255 - GREY), (SCALED,)),
    "floats": (stored(Image.fromarray(FLOATS), "TIFF"), grey(FLOATS * 255), (SCALED,)),
    "floats, white is 0": (
        without_the_tag(stored(Image.fromarray(FLOATS), "TIFF"), 262, 0), grey(255 - FLOATS * 255), (SCALED,)),
    "16 bits, one of them clear": (
        stored(Image.fromarray(wide()), transparency=int(wide()[3, 4])), grey(np.where(GREY[3, 4] == GREY, 255, GREY)),
        (SCALED, OVER_WHITE)),
    "colour and alpha": (stored(with_alpha("RGBA")), over_white(COLOUR, ALPHA), (OVER_WHITE,)),
    "colour and alpha, TIFF": (stored(with_alpha("RGBA"), "TIFF"), over_white(COLOUR, ALPHA), (OVER_WHITE,)),
    "colour and alpha, WebP": (
        stored(with_alpha("RGBA"), "WEBP", lossless=True, exact=True), over_white(COLOUR, ALPHA), (OVER_WHITE,)),
    "grey and alpha": (stored(with_alpha("LA")), over_white(grey(GREY), ALPHA), (OVER_WHITE,)),
    "palette and alpha": (stored(palette_with_alpha()), palette_over_white(), (OVER_WHITE,)),
    "a clear colour": (
        stored(Image.fromarray(COLOUR), transparency=tuple(COLOUR[3, 4].tolist())), KEYED, (OVER_WHITE,)),
    "a clear grey": (
        stored(Image.fromarray(GREY), transparency=int(GREY[3, 4])), grey(np.where(GREY[3, 4] == GREY, 255, GREY)),
        (OVER_WHITE,)),
    "alpha that hides nothing": (stored(Image.fromarray(COLOUR).convert("RGBA")), COLOUR, ()),
    "two frames": (
        stored(Image.fromarray(GREY), "GIF", save_all=True, append_images=[Image.fromarray(GREY.T)]), grey(GREY),
        (FIRST,)),
    "two pages": (
        stored(Image.fromarray(GREY), "TIFF", save_all=True, append_images=[Image.fromarray(GREY.T)]), grey(GREY),
        (FIRST,)),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_every_mode_comes_to_8_bits(name: str) -> None:
    content, expected, remarks = FILES[name]
    image = open_image(content, name)
    assert (image.mode, image.size) == ("RGB", (SIDE, SIDE))
    assert np.abs(np.asarray(image) - expected.astype(float)).max() <= 1
    assert remarks_of(image) == remarks


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (
            Image.fromarray(GREY.astype(np.int32)),
            "signed integers have no defined range, convert them to unsigned ones",
        ),
        (Image.fromarray(GREY.astype(np.float32)), r"floats should be in \[0, 1\], got 0 to 255"),
        (Image.fromarray(np.full((8, 8), np.nan, np.float32)), r"floats should be in \[0, 1\], got nan to nan"),
    ],
)
def test_values_without_a_range_are_refused(image: Image.Image, words: str) -> None:
    with pytest.raises(DataError, match=f"x cannot be read as an image: {words}"):
        open_image(stored(image, "TIFF"), "x")


def test_a_transparent_image_stands_as_the_camera_was_held() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = open_image(stored(with_alpha("RGBA"), exif=exif), "x")
    assert image.getexif()[0x0112] == 6


def png(width: int, bits: int, kind: int, row: bytes, clear: bytes) -> bytes:
    """A PNG of one row, of a kind that Pillow does not write, with a clear grey (kind 0) or colour (2)."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + bytes([0, 0, 0, 1, bits, kind, 0, 0, 0])
    parts = (b"IHDR", head), (b"tRNS", clear), (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, content) for name, content in parts)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(4, 2, 0, bytes([0b00011011]), b"\0\1"), [0, 255, 170, 255]),
        (png(2, 4, 0, bytes([0x5A]), b"\0\5"), [255, 170]),
        (png(2, 16, 2, bytes.fromhex("123456789abc 808080808080"), bytes.fromhex("123456789abc")), [255, 128]),
        (png(2, 16, 2, bytes.fromhex("805680568056 808080808080"), bytes.fromhex("805680568056")), [255, 128]),
    ],
)
def test_a_clear_value_counts_with_the_bits_that_it_is_stored_with(content: bytes, expected: list[int]) -> None:
    image = np.asarray(open_image(content, "x"))
    assert image[0].tolist() == [[value] * 3 for value in expected]


def test_a_damaged_image_of_any_kind_is_named() -> None:
    for kind in ("PNG", "GIF", "TIFF", "WEBP", "BMP", "JPEG", "PPM"):
        image = Image.fromarray(COLOUR)
        content = stored(image, kind, **({"save_all": True, "append_images": [image]} if kind == "GIF" else {}))
        with pytest.raises(DataError, match="x cannot be read as an image"):
            open_image(content[:-20] if kind == "GIF" else content[: len(content) // 2], "x")


Write = Callable[[Path, list[bytes]], dict[str, Any]]


def folder(root: Path, images: list[bytes]) -> dict[str, Any]:
    for row, content in enumerate(images):
        (root / "own" / str(row % 2)).mkdir(parents=True, exist_ok=True)
        (root / "own" / str(row % 2) / f"{row:02}.png").write_bytes(content)
    return {"name": "image_folder", "folder": "own", "size": SIDE}


def parquet(root: Path, images: list[bytes]) -> dict[str, Any]:
    frame = pl.DataFrame({"image": images, "label": [row % 2 for row in range(len(images))]})
    frame.write_parquet(root / "train-0.parquet")
    return {"name": "parquet", "size": SIDE}


def eurosat(root: Path, images: list[bytes]) -> dict[str, Any]:
    folder(root, images)
    (root / "eurosat").mkdir()
    (root / "own").rename(root / "eurosat" / "2750")
    return {"name": "torchvision", "dataset": "EuroSAT", "size": SIDE}


def imagenet(root: Path, images: list[bytes]) -> dict[str, Any]:
    folder(root, images)
    (root / "imagenet").mkdir()
    (root / "own").rename(root / "imagenet" / "train")
    return {"name": "imagenet", "size": SIDE, "test": "train", "validation_size": 2, "test_size": 2}


@pytest.mark.parametrize("write", [folder, parquet, eurosat, imagenet])
def test_every_dataset_shows_transparent_images_over_white(tmp_path: Path, write: Write) -> None:
    content = FILES["colour and alpha"][0]
    plain = stored(open_image(content, "x"))
    prepared = []
    for root, images in ((tmp_path / "one", [content] * 12), (tmp_path / "other", [plain] * 12)):
        root.mkdir()
        options = write(root, images)
        load = datasets[options.pop("name")]
        with pytest.warns(DataWarning, match=OVER_WHITE) if root.name == "one" else pytest.MonkeyPatch.context():
            dataset = load(root, **options)
            prepared.append(next(dataset.batches("train", 4))[0])
    assert torch.equal(*prepared)


def test_a_trial_of_an_earlier_version_is_of_other_data_only_if_its_pixels_were_others(tmp_path: Path) -> None:
    opaque, clear = FILES["alpha that hides nothing"][0], FILES["colour and alpha"][0]
    folder(tmp_path, [opaque] * 12)
    assert len(image_folder(tmp_path, folder="own", size=SIDE).fingerprints) == 3
    (tmp_path / "own" / "0" / "00.png").write_bytes(clear)
    with pytest.warns(DataWarning, match=f"^1 of 12 images {OVER_WHITE}$"):
        assert len(image_folder(tmp_path, folder="own", size=SIDE).fingerprints) == 1


def test_the_command_line_says_in_a_line_what_was_done(tmp_path: Path) -> None:
    folder(tmp_path, [FILES["16 bits, PNG"][0]] * 12)
    data = f"dataset={{name: image_folder, root: {tmp_path}, folder: own, size: {SIDE}}}"
    ended = autoreg("plan", "quickstart", "--set", data, "--set", "training.batch_size=2", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.startswith(f"note: 12 of 12 images {SCALED}\n")
