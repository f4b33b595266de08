"""Images of one's own: found in folders, decoded once, split the same way every time."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from autoreg.api import load_trial
from autoreg.config.sweep_file import load_sweep
from autoreg.datasets import Dataset, forget_datasets
from autoreg.datasets.image_folder import image_folder
from autoreg.datasets.images import image_folders
from autoreg.errors import AutoregError, ConfigError, DataError, DataWarning
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.runner import SweepRunner
from autoreg.runs.folder import Runs
from autoreg.training.trained import SAW_LESS
from tests.helpers.forked import run_file
from tests.helpers.small_sweep import write_sweep

COLOURS = {"blue": (0, 0, 200), "green": (0, 200, 0), "red": (200, 0, 0)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fill(
    folder: Path,
    count: int = 10,
    classes: tuple[str, ...] = tuple(COLOURS),
    size: tuple[int, int] = (40, 20),
    **how: int,
) -> Path:
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            image = Image.new("RGB", size, COLOURS[name])
            image.putpixel((size[0] // 2, size[1] // 2), (number, number, number))
            image.save(folder / name / f"{number}.png", **how)
    return folder


def test_what_is_missing_is_held_out_of_every_class(tmp_path: Path) -> None:
    dataset = image_folder(fill(tmp_path / "own"), size=16, validation_share=0.2, test_share=0.1)
    assert (dataset.classes, dataset.input_shape) == (3, (3, 16, 16))
    for name, each in (("train", 7), ("validation", 2), ("test", 1)):
        assert dataset.split(name).labels.bincount().tolist() == [each] * 3
    images = torch.cat([split.inputs for split in (dataset.train, dataset.validation, dataset.test)])
    assert len({image.numpy().tobytes() for image in images}) == 30  # no image is in two splits
    again = image_folder(tmp_path / "own", size=16, validation_share=0.2, test_share=0.1)
    assert torch.equal(again.validation.inputs, dataset.validation.inputs)


def test_labels_number_the_classes_in_order_and_the_middle_is_shown(tmp_path: Path) -> None:
    dataset = image_folder(fill(tmp_path / "own"), size=20)
    for image, label in zip(dataset.train.inputs, dataset.train.labels.tolist(), strict=True):
        assert image[:, 0, 0].tolist() == list(COLOURS[sorted(COLOURS)[label]])
        middle = image[:, 10, 10].tolist()
        assert middle[0] == middle[1] == middle[2] < 10


def test_an_image_stands_as_the_camera_was_held(tmp_path: Path) -> None:
    folder = fill(tmp_path / "own")
    turned = Image.new("RGB", (20, 20))
    turned.paste((255, 255, 255), (0, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is at the right of what is stored
    for path in folder.rglob("*.png"):
        turned.save(path, exif=exif)
    image = image_folder(folder, size=20).train.inputs[0]
    assert image[:, 10, 2].tolist() == [0, 0, 0]
    assert image[:, 10, 17].tolist() == [255, 255, 255]


def test_splits_that_are_there_are_taken(tmp_path: Path) -> None:
    for name, count in (("train", 5), ("valid", 2), ("test", 3)):
        fill(tmp_path / "own" / name, count)
    dataset = image_folder(tmp_path, folder="own", size=16)
    assert [len(dataset.split(name)) for name in ("train", "validation", "test")] == [15, 6, 9]


def test_a_split_that_is_a_copy_of_another_is_refused(tmp_path: Path) -> None:
    for name in ("train", "val"):
        fill(tmp_path / name, 3)
    with pytest.raises(DataError, match="train and validation have the same images"):
        image_folder(tmp_path, size=16)


def test_channels_are_standardised_by_the_training_images(tmp_path: Path) -> None:
    dataset = image_folder(fill(tmp_path / "own"), size=16)
    inputs = torch.cat([inputs for inputs, _ in dataset.batches("train")])
    deviation, mean = torch.std_mean(inputs, (0, 2, 3), correction=0)
    torch.testing.assert_close(mean, torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(deviation, torch.ones(3), atol=1e-4, rtol=0)
    [(augmented, _)] = dataset.batches("train", 100, generator=torch.Generator().manual_seed(0))
    assert augmented.shape == inputs.shape
    assert not torch.equal(augmented, inputs)


def test_images_are_decoded_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "own")
    before = image_folder(folder, size=16)
    with monkeypatch.context() as patch:
        patch.setattr(image_folders, "open_image", lambda *_: pytest.fail("decoded a second time"))
        assert torch.equal(image_folder(folder, size=16).train.inputs, before.train.inputs)
    [cached] = cache.glob("*.npy")
    cached.write_bytes(cached.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"\.npy is damaged: .*; delete it"):
        image_folder(folder, size=16)
    cached.unlink()
    image_folder(folder, size=16)
    cached.with_suffix(".json").write_text("[1]")
    with pytest.raises(DataError, match=r"\.json is damaged: .*; delete .*\.npy"):
        image_folder(folder, size=16)


def swap(folder: Path, one: str = "red", other: str = "blue") -> None:
    """Exchange the images of two classes in place: names, sizes, inodes and times of writing stay as they are."""
    for path in (folder / one).iterdir():
        twin = folder / other / path.name
        contents = path.read_bytes(), twin.read_bytes()
        assert len(contents[0]) == len(contents[1])
        for target, content in zip((twin, path), contents, strict=True):
            times = target.stat()
            with target.open("r+b") as file:
                file.write(content)
            os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_other_images_of_the_same_names_and_sizes_are_other_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill(tmp_path / "own", compress_level=0)
    before = image_folder(folder, size=16)
    swap(folder)
    after = image_folder(folder, size=16)
    assert before.fingerprint != after.fingerprint
    assert before.earlier[-1] == after.earlier[-1]  # which saw no difference
    elsewhere = image_folder(fill(tmp_path / "other", compress_level=0), size=16)
    assert elsewhere.fingerprint == before.fingerprint  # the same images, wherever they lie
    swap(tmp_path / "other", "green", "blue")
    elsewhere = image_folder(tmp_path / "other", size=16)
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "a fresh cache"))
    for root, found in ((folder, after), (tmp_path / "other", elsewhere)):
        fresh = image_folder(root, size=16)
        assert torch.equal(found.train.inputs, fresh.train.inputs)
        assert found.fingerprint == fresh.fingerprint


def test_a_split_of_another_name_is_other_data(tmp_path: Path) -> None:
    for split, count in (("train", 10), ("val", 4)):
        fill(tmp_path / "own" / split, count, size=(40, 20 + count))
    before = image_folder(tmp_path / "own", size=16)
    (tmp_path / "own" / "val").rename(tmp_path / "own" / "test")
    after = image_folder(tmp_path / "own", size=16)
    assert torch.equal(before.validation.inputs, after.test.inputs)
    assert before.fingerprint not in after.fingerprints


def names_and_sizes(folder: Path) -> str:
    """The fingerprint that earlier versions gave to a folder."""

    def digest(texts: list[str]) -> str:
        return hashlib.blake2b("\n".join(texts).encode(), digest_size=8).hexdigest()

    classes = sorted(path.name for path in folder.iterdir())
    sizes = [[f"{path.name}:{path.stat().st_size}" for path in sorted((folder / name).iterdir())] for name in classes]
    return digest([digest([*classes, *map(digest, sizes)])])


def test_a_sweep_knows_the_images_that_it_was_trained_on(tmp_path: Path) -> None:
    folder = fill(tmp_path / "own", compress_level=0)
    dataset = {"name": "image_folder", "root": str(folder), "size": 8}
    file = write_sweep(tmp_path / "small.yaml", dataset=dataset, epochs=1, replicates=1, grid={"width": ["1/4"]},
                       training={"learning_rate": 0.1, "batch_size": 5, "epochs": 1})  # fmt: skip
    runs = Runs(tmp_path / "runs")

    def begin() -> list[str]:
        forget_datasets()
        return SweepRunner(make_plan(load_sweep(file)), runs, tmp_path / "results.db").begin()

    assert (run_file(file, tmp_path).trained, begin()) == (1, [])
    [trial] = runs.trials()
    result = trial.read_result()
    swap(folder)
    for read in (begin, lambda: load_trial(trial.trial_id, runs=runs.root, data=folder)):
        with pytest.raises(DataError, match="was trained on other data"):
            read()
    swap(folder)
    assert begin() == []
    environment = {**result.environment, "data": names_and_sizes(folder)}
    trial.write_result(result.model_copy(update={"environment": environment}))
    assert begin() == [SAW_LESS]
    with (folder / "red" / "3.png").open("ab") as image:
        image.write(b"x")
    with pytest.raises(DataError, match="was trained on other data"):
        begin()


def images_of(dataset: Dataset) -> list[bytes]:
    splits = (dataset.train, dataset.validation, dataset.test)
    return sorted(image.numpy().tobytes() for split in splits for image in split.inputs)


def test_images_of_other_kinds_and_in_folders_of_a_class_are_read(tmp_path: Path) -> None:
    plain = image_folder(fill(tmp_path / "plain"), size=16)
    folder = fill(tmp_path / "own")
    for number, kind in enumerate(("bmp", "tif", "TIFF", "webp", "gif", "jfif", "ppm", "pbm")):
        path = folder / "red" / f"{number}.png"
        with Image.open(path) as image:
            image.save(path.with_suffix(f".{kind}"), "PNG")  # whose content counts, and not the ending
        path.unlink()
    (folder / "red" / "8.png").rename(folder / "red" / "8.PNG")
    (folder / "red" / "9.png").rename(folder / "red" / "9.pnm")
    assert images_of(image_folder(folder, size=16)) == images_of(plain)
    (folder / "blue" / "more" / "deep").mkdir(parents=True)
    (folder / "blue" / "3.png").rename(folder / "blue" / "more" / "3.png")
    (folder / "blue" / "4.png").rename(folder / "blue" / "more" / "deep" / "4.png")
    with pytest.warns(
        DataWarning, match=r"own: images in folders of class folders, taken to be of the class above: 2$"
    ):
        nested = image_folder(folder, size=16)
    assert images_of(nested) == images_of(plain)
    assert nested.train.labels.bincount().tolist() == plain.train.labels.bincount().tolist()


def with_others(folder: Path) -> None:
    for name in ("a.heic", "b.heic", "c.txt"):
        (folder / "red" / name).write_bytes(b"x")


def with_loose_ones(folder: Path) -> None:
    Image.new("RGB", (8, 8)).save(folder / "loose.png")


def as_splits(folder: Path, *more: str) -> None:
    """Make a folder of classes the training split of itself, with other folders beside it."""
    folder.rename(folder.with_name("classes"))
    folder.mkdir()
    folder.with_name("classes").rename(folder / "train")
    for name in more:
        fill(folder / name)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_others, "files in class folders that are not read as images: 3 (2 .heic, 1 .txt)"),
        (with_loose_ones, "images beside the class folders, which are not read: 1"),
        (
            lambda folder: as_splits(folder, "yellow", "extra"),
            "folders beside train/ that are not read: 2 (extra, yellow)",
        ),
    ],
)
def test_what_is_not_read_is_counted_aloud(tmp_path: Path, change: Callable[[Path], None], words: str) -> None:
    plain = image_folder(fill(tmp_path / "own"), size=16)
    change(tmp_path / "own")
    with pytest.warns(DataWarning, match=rf"own\S*: {re.escape(words)}$"):
        assert images_of(image_folder(tmp_path / "own", size=16)) == images_of(plain)


def test_hidden_folders_and_what_archives_add_are_no_classes(tmp_path: Path) -> None:
    folder = fill(tmp_path / "own")
    for name in (".cache", "__MACOSX", "red/.ipynb_checkpoints"):
        (folder / name).mkdir()
        (folder / name / "._1.png").write_bytes(b"x")
    (folder / "red" / "._1.png").write_bytes(b"x")
    assert image_folder(folder, size=16).classes == 3


@pytest.mark.parametrize("names", [("Train", "VAL", "Testing"), ("training", "validation", "test")])
def test_splits_are_known_by_the_names_that_people_give_them(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name, count in zip(names, (5, 2, 3), strict=True):
        fill(tmp_path / "own" / name, count)
    dataset = image_folder(tmp_path, folder="own", size=16)
    assert [len(dataset.split(name)) for name in ("train", "validation", "test")] == [15, 6, 9]


def test_splits_are_no_classes_though_an_image_lies_beside_those(tmp_path: Path) -> None:
    for name, count in (("train", 5), ("test", 4)):
        with_loose_ones(fill(tmp_path / "own" / name, count))
    with pytest.warns(DataWarning, match="images beside the class folders, which are not read: 1"):
        dataset = image_folder(tmp_path / "own", size=16)
    assert (dataset.classes, len(dataset.test)) == (3, 12)


def with_a_loose_one_and_another_folder(folder: Path) -> Path:
    for name in ("train", "test"):
        with_loose_ones(fill(folder / name, 5))
    return fill(folder / "extra").parent


def test_classes_may_be_called_as_splits_are(tmp_path: Path) -> None:
    folder = fill(tmp_path / "own")
    (folder / "red").rename(folder / "train")
    (folder / "blue").rename(folder / "test")
    dataset = image_folder(folder, size=16)
    for image, label in zip(dataset.train.inputs, dataset.train.labels.tolist(), strict=True):
        assert image[:, 0, 0].tolist() == list(COLOURS[("green", "blue", "red")[label]])


def test_names_that_differ_in_their_form_of_unicode_are_one_class(tmp_path: Path) -> None:
    folder = fill(tmp_path / "own")
    forms = [unicodedata.normalize(form, "Käfer") for form in ("NFC", "NFD")]
    (folder / "red").rename(folder / forms[0])
    (folder / forms[1]).mkdir()
    for number in (3, 4, 5):
        (folder / forms[0] / f"{number}.png").rename(folder / forms[1] / f"{number}.png")
    dataset = image_folder(folder, size=16)
    assert dataset.classes == 3
    as_splits(folder, "val")
    (folder / "val" / "red").rename(folder / "val" / forms[1])
    assert len(image_folder(folder, size=16).validation) == 30


def test_a_class_named_by_an_earlier_trial_in_another_form_is_still_recognised(tmp_path: Path) -> None:
    folder = fill(tmp_path / "own")
    (folder / "red").rename(folder / unicodedata.normalize("NFD", "Käfer"))
    assert image_folder(folder, size=16).earlier[-1] == names_and_sizes(folder)


def broken(folder: Path) -> Path:
    fill(folder)
    (folder / "red" / "3.png").write_bytes(b"no image")
    return folder


def other_classes(folder: Path) -> Path:
    fill(folder / "train")
    fill(folder / "val", classes=("red", "blue"))
    return folder


def with_a_link_above(folder: Path) -> Path:
    (fill(folder) / "red" / "more").symlink_to(folder / "red")
    return folder


def with_a_link_to_all(folder: Path) -> Path:
    (fill(folder) / "red" / "more").symlink_to(folder)
    return folder


def with_an_empty_class(folder: Path) -> Path:
    fill(folder)
    (folder / "yellow").mkdir()
    return folder


def one_class(folder: Path) -> Path:
    return fill(folder, classes=("red",))


def with_two(*names: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        for name in names:
            fill(folder / name)
        return folder

    return make


def with_a_flat_test(folder: Path) -> Path:
    (fill(folder / "train").parent / "test").mkdir()
    Image.new("RGB", (8, 8)).save(folder / "test" / "1.png")
    return folder


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda folder: None, DataError, "image_folder needs files: set AUTOREG_DATA or dataset.root"),
        (lambda folder: folder, DataError, "does not exist (option `folder` below"),
        (lambda folder: fill(folder, 2), ConfigError, "class 'blue' has 2 images, too few to hold 2 of them out"),
        (broken, DataError, "3.png cannot be read as an image"),
        (other_classes, DataError, "classes of validation and of train differ, 2 and 3; only in one of them: green"),
        (one_class, DataError, "has one class folder alone, red; there must be two classes at least"),
        (with_two("train", "training"), DataError, "train/ and training/ are the same split; keep one of them"),
        (with_two("train", "val", "valid"), DataError, "val/ and valid/ are the same split; keep one of them"),
        (with_two("train", "Train"), DataError, "Train/ and train/ are the same split; keep one of them"),
        (with_two("val", "test"), DataError, "has val/ and test/ with class folders, but no train/"),
        (
            with_two("test_set", "training_set"),
            DataError,
            "test_set/ and training_set/ both have the folders blue/ and",
        ),
        (
            with_two("red/test", "red/train", "blue/test", "blue/train"),
            DataError,
            "both have the folders test/ and train/",
        ),
        (with_a_loose_one_and_another_folder, DataError, "test/ and train/ both have the folders blue/ and green/"),
        (with_a_flat_test, DataError, "test has no class folders"),
        (with_a_link_above, DataError, "red/more is a link to a folder above it"),
        (with_a_link_to_all, DataError, "red/more/red is a link to a folder above it"),
        (with_an_empty_class, DataError, "yellow has no images (.bmp, .gif, "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, make: object, kind: type[AutoregError], words: str) -> None:
    with pytest.raises(kind) as raised:
        image_folder(make(tmp_path / "own"), size=16)  # type: ignore[operator]
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not list((tmp_path / "cache").glob("*.npy")) or make is not broken
