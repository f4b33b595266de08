"""Parquet of any images: columns found by type, decoded once, what is wrong said in one line."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from autoreg.datasets import Dataset, datasets
from autoreg.errors import AutoregError, ConfigError, DataError, DataWarning

parquet = datasets["parquet"]
IMAGE = pa.struct({"bytes": pa.binary(), "path": pa.string()})
COLOURS = [(0, 0, 200), (0, 200, 0), (200, 0, 0)]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def image(row: int, mode: str = "RGB") -> bytes:
    """An image in the colour of its class, with its row in the middle."""
    made = Image.new("RGB", (40, 20), COLOURS[row % 3])
    made.putpixel((20, 10), (row, row, row))
    content = io.BytesIO()
    made.convert(mode).save(content, "png")
    return content.getvalue()


NAMES = ["blue", "green", "red"]


def write(path: Path, count: int = 30, first: int = 0, described: bool | list[str] = False, **more: Any) -> Path:
    """Write images as the hub has them; more columns, or others in place of these, by name.

    With `described` the file names its classes, in the given order if there is one, which labels then follow.
    """
    numbers = range(first, first + count)
    names = described if isinstance(described, list) else NAMES
    columns = {
        "image": pa.array([{"bytes": image(row), "path": None} for row in numbers], IMAGE),
        "label": pa.array([names.index(NAMES[row % 3]) for row in numbers], pa.int64()),
        **more,
    }
    table = pa.table({name: column for name, column in columns.items() if column is not None})
    if described:
        label = {"_type": "ClassLabel", "names": names}
        features = {"image": {"_type": "Image"}, "label": label, "length": {"_type": "Value", "dtype": "int64"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=7)
    return path


def numbers_of(dataset: Dataset, split: str) -> list[int]:
    """The rows that a split's images were made with."""
    return dataset.split(split).inputs[:, 0, 10, 10].tolist()  # type: ignore[attr-defined, no-any-return]


def test_each_split_has_the_images_of_its_files_in_order(tmp_path: Path) -> None:
    write(tmp_path / "hub" / "data" / "train-00000-of-00002.parquet", 20)
    write(tmp_path / "hub" / "data" / "train-00001-of-00002.parquet", 10, first=20)
    write(tmp_path / "hub" / "data" / "validation-00000-of-00001.parquet", 6, first=30)
    write(tmp_path / "hub" / "data" / "test-00000-of-00001.parquet", 9, first=36)
    dataset = parquet(tmp_path, folder="hub", size=20)
    assert (dataset.classes, dataset.input_shape) == (3, (3, 20, 20))
    for split, rows in (("train", range(30)), ("validation", range(30, 36)), ("test", range(36, 45))):
        assert numbers_of(dataset, split) == list(rows)
        assert dataset.split(split).labels.tolist() == [row % 3 for row in rows]
        corners = dataset.split(split).inputs[:, :, 0, 0]  # type: ignore[attr-defined]
        assert corners.tolist() == [list(COLOURS[row % 3]) for row in rows]


def test_missing_splits_are_held_out_of_every_class_or_of_all_together(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet")
    dataset = parquet(tmp_path, size=20, validation_share=0.2, test_share=0.1)
    for split, each in (("train", 7), ("validation", 2), ("test", 1)):
        assert dataset.split(split).labels.bincount().tolist() == [each] * 3
    numbers = [number for name in ("train", "validation", "test") for number in numbers_of(dataset, name)]
    assert sorted(numbers) == list(range(30))
    write(tmp_path / "odd" / "train.parquet", 10, label=pa.array(range(10)))
    with pytest.raises(ConfigError, match=r"class '0' has 1 images, .* 2 of them out; `stratified: false` takes"):
        parquet(tmp_path, folder="odd", size=20)
    mixed = parquet(tmp_path, folder="odd", size=20, stratified=False)
    assert [len(mixed.split(name)) for name in ("train", "validation", "test")] == [6, 2, 2]


def test_grey_images_have_one_channel_if_asked(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet")
    dataset = parquet(tmp_path, size=20, channels=1)
    assert dataset.input_shape == (1, 20, 20)
    luminance = [Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0)) for colour in COLOURS]
    for inputs, label in zip(dataset.train.inputs, dataset.train.labels, strict=True):  # type: ignore[attr-defined]
        assert inputs[0, 0, 0] == luminance[int(label)]
    [(augmented, _)] = dataset.batches("train", 100, generator=torch.Generator().manual_seed(0))
    assert augmented.shape == (len(dataset.train), 1, 20, 20)


@pytest.mark.parametrize("make", [image, lambda row: image(row, "L")], ids=["colour", "grey"])
def test_a_plain_column_of_files_does_too(tmp_path: Path, make: Callable[[int], bytes]) -> None:
    write(tmp_path / "train-0.parquet", image=None, photo=pa.array([make(row) for row in range(30)]))
    assert parquet(tmp_path, size=20).input_shape == (3, 20, 20)


def test_the_hubs_description_says_which_integers_are_labels(tmp_path: Path) -> None:
    lengths = pa.array([1000 + row for row in range(30)])
    write(tmp_path / "told" / "train-0.parquet", described=True, length=lengths)
    assert parquet(tmp_path, folder="told", size=20).classes == 3
    write(tmp_path / "few" / "train-0.parquet", 4, described=True, length=lengths[:4])
    with pytest.raises(ConfigError, match="class 'blue' has 2 images, too few"):
        parquet(tmp_path, folder="few", size=20)
    write(tmp_path / "untold" / "train-0.parquet", length=lengths)
    with pytest.raises(DataError, match=r"several columns of integers; say which by the option `label`: label, length"):
        parquet(tmp_path, folder="untold", size=20)
    assert parquet(tmp_path, folder="untold", size=20, label="label").classes == 3


def test_a_split_of_another_name_is_other_data(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet")
    write(tmp_path / "validation-0.parquet", first=30)
    before = parquet(tmp_path, size=20)
    (tmp_path / "validation-0.parquet").rename(tmp_path / "test-0.parquet")
    assert before.fingerprint not in parquet(tmp_path, size=20).fingerprints


def test_images_are_decoded_once_and_other_files_are_another_fingerprint(tmp_path: Path, cache: Path) -> None:
    write(tmp_path / "train-0.parquet")
    first = parquet(tmp_path, size=20)
    [cached] = cache.glob("parquet-*.npy")
    made = cached.stat().st_mtime_ns
    again = parquet(tmp_path, size=20)
    assert torch.equal(again.train.inputs, first.train.inputs)
    assert (again.fingerprint, cached.stat().st_mtime_ns) == (first.fingerprint, made)
    write(tmp_path / "train-0.parquet", first=30)
    assert parquet(tmp_path, size=20).fingerprint != first.fingerprint
    cached.write_bytes(cached.read_bytes()[:500])
    write(tmp_path / "train-0.parquet")
    with pytest.raises(DataError, match=r"\.npy is damaged: .*; delete it"):
        parquet(tmp_path, size=20)


def test_classes_are_matched_by_the_names_that_each_file_gives_them(tmp_path: Path) -> None:
    for part in ("one", "other"):
        write(tmp_path / part / "train-00000-of-00002.parquet", 20, described=True)
        order = NAMES if part == "one" else ["red", "yellow", "blue", "green"]
        write(tmp_path / part / "train-00001-of-00002.parquet", 10, first=20, described=order)
        write(tmp_path / part / "test.parquet", 9, first=30, described=order[::-1])
    one, other = (parquet(tmp_path, folder=part, size=20) for part in ("one", "other"))
    for dataset in (one, other):
        for split in ("train", "validation", "test"):
            assert dataset.split(split).labels.tolist() == [row % 3 for row in numbers_of(dataset, split)]
    assert len(other.earlier) == 1  # before that, versions saw other labels
    write(tmp_path / "one" / "test.parquet", 9, first=30, described=["blue", "green", "red", "yellow"])
    assert len(parquet(tmp_path, folder="one", size=20).earlier) == 2


def test_a_file_that_does_not_name_its_classes_is_told_of(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", described=True)
    write(tmp_path / "test.parquet", 9, first=30)
    with pytest.warns(DataWarning, match=r"test\.parquet does not name its classes, and others do; all are taken"):
        dataset = parquet(tmp_path, size=20)
    assert dataset.test.labels.tolist() == [0, 1, 2] * 3


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())], ids=str)
@pytest.mark.parametrize("column", ["label", "species"])
def test_texts_are_classes_in_their_order_over_all_files(tmp_path: Path, kind: pa.DataType, column: str) -> None:
    def named(words: str) -> dict[str, Any]:
        texts = pa.array([*words] * (30 // len(words))).cast(kind)
        return {"label": None, "width": pa.array([5] * 30), column: texts}

    write(tmp_path / "train-00000-of-00002.parquet", **named("cb"))
    write(tmp_path / "train-00001-of-00002.parquet", first=30, **named("ab"))
    write(tmp_path / "test.parquet", first=60, **named("bca"))
    dataset = parquet(tmp_path, size=20, label=None if column == "label" else column)
    assert dataset.classes == 3
    expected = [2, 1] * 15 + [0, 1] * 15
    assert dataset.train.labels.tolist() == [expected[row] for row in numbers_of(dataset, "train")]
    assert dataset.test.labels.tolist() == [1, 2, 0] * 10


def test_files_of_no_split_are_told_of(tmp_path: Path) -> None:
    for name in ("train-0.parquet", "extra-0.parquet", "dev-0.parquet", "test.PARQUET", "eval/test.parquet"):
        write(tmp_path / name)
    with pytest.warns(DataWarning, match=r"Parquet files of no split, which are not read: 4, such as dev-0\.parquet$"):
        parquet(tmp_path, size=20)


def test_a_class_without_images_is_told_of(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", described=True, label=pa.array([1, 2] * 15))
    with pytest.warns(DataWarning, match=r"1 of 3 classes have no training image, the first of them 0 \(blue\)"):
        assert parquet(tmp_path, size=20).classes == 3


def test_the_last_class_without_images_is_told_of(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", described=True, label=pa.array([0, 1] * 15))
    with pytest.warns(DataWarning, match=r"1 of 3 classes have no training image, the first of them 2 \(red\)"):
        assert parquet(tmp_path, size=20).classes == 3


def test_an_earlier_trial_is_recognised_by_names_sizes_and_footers(tmp_path: Path) -> None:
    def changed(red: int) -> Path:
        files = [Image.new("RGB", (20, 20), (red if row == 9 else row, 0, 0)) for row in range(30)]
        column = pa.array([{"bytes": bitmap(file), "path": None} for file in files], IMAGE)
        return write(tmp_path / "train.parquet", image=column)

    path = changed(10)
    content = path.read_bytes()
    footer = content[-8 - int.from_bytes(content[-8:-4], "little") :]
    footers = digest(f"train.parquet:{len(content)}\n".encode() + footer)
    before = parquet(tmp_path, size=20)
    assert before.earlier[-1] == digest(digest(f"{footers}\nimage\nlabel".encode()).encode())
    changed(12)
    assert path.read_bytes()[-len(footer) :] == footer
    after = parquet(tmp_path, size=20)
    assert after.earlier[-1] == before.earlier[-1]
    assert after.fingerprint != before.fingerprint
    reds = [sorted(row for split in ("train", "validation", "test") for row in numbers_of(dataset, split))
            for dataset in (before, after)]  # fmt: skip
    assert [[values.count(red) for red in (10, 12)] for values in reds] == [[2, 1], [1, 2]]


def bitmap(made: Image.Image) -> bytes:
    content = io.BytesIO()
    made.save(content, "bmp")
    return content.getvalue()


def digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


@pytest.mark.parametrize(
    "names",
    [
        ["train-00001-of-00002", "train-00000-of-00002"],
        ["train-1-of-2", "train-2-of-2"],
        ["train-00000-of-00002-0123456789abcdef", "train-00001-of-00002-fedcba9876543210"],
        ["train-0", "train-1"],
        ["train-1", "train-2"],
        ["train-2019", "train-2021"],
        ["train-a", "train-b"],
    ],
)
def test_all_shards_of_a_set_are_read(tmp_path: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        write(tmp_path / f"{name}.parquet", 15, first=15 * number)
    dataset = parquet(tmp_path, size=20)
    assert sorted(row for split in ("train", "validation", "test") for row in numbers_of(dataset, split)) == list(
        range(30)
    )


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["train-00000-of-00001", "train-00000-of-00002", "train-00001-of-00002"], "are of two sets, which may hold"),
        (["train", "train-00000-of-00002", "train-00001-of-00002"], "train.parquet are of two sets"),
        (["train", "train-0"], "are of two sets"),
        (["train-0", "train-00000-of-00001"], "are of two sets"),
        (["train-00000-of-00001-0123", "train-00000-of-00001-4567"], "are of two sets"),
        (["train-0", "val-0", "validation-0"], "validation-0.parquet and val-0.parquet are of two sets"),
        (["train-00001-of-00003"], "has 1 of 3 shards such as train-00001-of-00003.parquet; all are needed"),
        (["train-0", "test-00000-of-00002"], "has 1 of 2 shards such as test-00000-of-00002.parquet"),
        (
            ["train-0", "train-1", "train-3"],
            "has 3 of 4 shards such as train-0.parquet; all are needed, or other names",
        ),
        (["train-2", "train-3"], "has 2 of 3 shards such as train-2.parquet"),
        (["train-0", "test-1", "test-10", "test-2"], "has 3 of 10 shards such as test-1.parquet"),
        (["train-1", "train-01"], "train-01.parquet and train-1.parquet are of two sets"),
        (["train-0", "data/train-0"], "data both have Parquet files of splits; keep one of them"),
        (["train-0", "data/test-0"], "data both have Parquet files of splits; keep one of them"),
    ],
)
def test_files_that_are_not_one_whole_set_are_refused(tmp_path: Path, names: list[str], words: str) -> None:
    for number, name in enumerate(names):
        write(tmp_path / f"{name}.parquet", 15, first=15 * number)
    with pytest.raises(DataError) as raised:
        parquet(tmp_path, size=20)
    assert words in str(raised.value)


def _damaged(folder: Path) -> None:
    path = write(folder / "train-0.parquet")
    path.write_bytes(path.read_bytes()[:-9])


def _damaged_inside(folder: Path) -> None:
    path = write(folder / "train-0.parquet")
    content = bytearray(path.read_bytes())
    content[4:600] = bytes(596)
    path.write_bytes(content)


def _other_columns(folder: Path) -> None:
    write(folder / "train-0.parquet")
    write(folder / "train-1.parquet", image=None, photo=pa.array([b""] * 30))


def _twice(folder: Path) -> None:
    for name in ("a", "b"):
        write(folder / f"train-{name}.parquet")


def _test_of_train(folder: Path) -> None:
    for name in ("train", "test"):
        write(folder / f"{name}-0.parquet")


def _written_anew(copied: str, by: str) -> Callable[[Path], Any]:
    def make(folder: Path) -> None:
        write(folder / f"{copied}.parquet")
        write(folder / "validation.parquet", first=30)  # with the same labels
        pq.write_table(pq.read_table(folder / f"{copied}.parquet"), folder / f"{by}.parquet", compression="gzip")

    return make


def _another_class(folder: Path) -> None:
    write(folder / "train.parquet", described=True)
    write(folder / "test.parquet", described=["yellow", "blue", "green", "red"], label=pa.array([1, 2, 0] * 10))


def _named_twice(folder: Path) -> None:
    write(folder / "train.parquet", described=["blue", "green", "red", "red"])
    write(folder / "test.parquet", described=["green", "blue", "red"])


def train(**more: Any) -> Callable[[Path], Any]:
    return lambda folder: write(folder / "train-0.parquet", **more)


def with_test_labels(label: int) -> Callable[[Path], Any]:
    def make(folder: Path) -> None:
        write(folder / "train-0.parquet")
        write(folder / "test-0.parquet", label=pa.array([label] * 30))

    return make


def _another_text(folder: Path) -> None:
    write(folder / "train-0.parquet", label=pa.array(["cat", "dog", "elk"] * 10))
    write(folder / "test-0.parquet", first=30, label=pa.array(["cat", "dog", "elk", *["fox"] * 27]))


def _numbers_to_test_texts(folder: Path) -> None:
    write(folder / "train-0.parquet", label=pa.array(["cat", "dog", "elk"] * 10))
    write(folder / "test-0.parquet", first=30)


def with_one(row: int, content: bytes | None) -> Callable[[Path], Any]:
    files = [image(0)] * 30
    return train(image=pa.array([*files[:row], content, *files[row + 1 :]]))


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (lambda folder: None, {}, "has no train-*.parquet, nor has data/ in it"),
        (lambda folder: None, {"folder": "gone"}, "does not exist (option `folder` below"),
        (_damaged, {}, "train-0.parquet is damaged"),
        (_damaged_inside, {}, "train-0.parquet is damaged"),
        (_other_columns, {}, "train-1.parquet has no column 'image'"),
        (train(), {"label": "lable"}, "no column 'lable' of integers"),
        (train(), {"image": "label"}, "column 'label' should be files of images"),
        (_another_text, {}, "test-0.parquet: the class of the image in row 3 is none of the training files: fox"),
        (_numbers_to_test_texts, {}, "labels in column 'label' are numbers, those of others are texts"),
        (_test_of_train, {}, "two of train, test have the same content; keep one of them"),
        (
            train(image=None),
            {},
            "has no column of files of images (struct with bytes, or binary); there are: label (int",
        ),
        (train(label=pa.array([0.0, 1.0] * 15)), {}, "column 'label' should be integers from 0, texts or categories"),
        (train(label=pa.array([True, False] * 15)), {}, "categories of texts, got bool; the option `label` names"),
        (
            train(label=None, score=pa.array([0.5] * 30)),
            {},
            "has no column of integers; there are: image (struct<bytes: bin",
        ),
        (train(score=pa.array([0.5] * 30)), {"label": "score"}, "column 'score' should be integers from 0, texts or"),
        (train(label=pa.array(["a", None, "b"] * 10)), {}, "the image in row 1 has no label, got None"),
        (train(count=0), {}, "has no images"),
        (train(label=pa.array([0, 1, None] * 10)), {}, "the image in row 2 has no label, got None"),
        (with_test_labels(-1), {}, "test-0.parquet: the image in row 0 has no label, got -1"),
        (with_test_labels(3), {}, "classes of test and of train differ: labels up to 3 and 2"),
        (_twice, {}, "train-a.parquet and train-b.parquet have the same content"),
        (_written_anew("train-a", "train-b"), {}, "train-a.parquet and train-b.parquet have the same images; keep one"),
        (_written_anew("train", "test"), {}, "train.parquet and test.parquet have the same images; keep one"),
        (_another_class, {}, "the class of the image in row 2 is none of the training files: 0"),
        (_named_twice, {}, "test.parquet numbers its classes otherwise than the training files, where two have one"),
        (train(label=pa.array([1, 2] * 15)), {}, "labels must number the classes from 0, got 1 to 2"),
        (train(label=pa.array([1] * 30)), {}, "must be two classes at least, all training images have the label 1"),
        (with_one(9, b"no image"), {}, "image in row 9 of"),
        (with_one(8, None), {}, "there is no image in row 8"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, cache: Path, make: Callable[[Path], Any], options: dict[str, Any], words: str
) -> None:
    make(tmp_path)
    with pytest.raises(AutoregError) as raised:
        parquet(tmp_path, size=20, **options)
    assert isinstance(raised.value, DataError)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not list(cache.glob("*.npy"))


@pytest.mark.real_images("imagenet_sample")
def test_real_images_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    dataset = parquet(Path(os.environ["AUTOREG_DATA"]), folder="imagenet_sample", size=32, stratified=False)
    assert (dataset.classes, len(dataset.train)) == (1000, 700)
