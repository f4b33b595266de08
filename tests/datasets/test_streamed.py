"""Streamed images: decoded as late as can be, the same for any number of threads, let go of when nobody asks."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from autoreg.datasets import datasets
from autoreg.datasets.dataset import Dataset
from autoreg.datasets.images.imagenet_files import find_images
from autoreg.errors import DataError
from tests.helpers.imagenet_layouts import encoded, write_folders


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    write_folders(tmp_path / "imagenet")
    made: Dataset = datasets["imagenet"](tmp_path, size=32, validation_size=4)
    return made


@pytest.fixture
def threads() -> Iterator[None]:
    yield
    torch.set_num_threads(1)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_batches_follow_the_given_order_and_the_last_one_is_smaller(dataset: Dataset) -> None:
    [[whole, labels]] = dataset.batches("train")
    assert whole.shape == (20, 3, 32, 32)
    assert torch.equal(labels, dataset.train.labels)
    order = torch.randperm(20, generator=seeded())
    parts = list(dataset.batches("train", 8, order))
    assert [len(part) for part, _ in parts] == [8, 8, 4]
    assert torch.equal(torch.cat([part for part, _ in parts]), whole[order])
    assert torch.equal(torch.cat([part for _, part in parts]), labels[order])


@pytest.mark.usefixtures("threads")
def test_the_number_of_threads_does_not_change_a_bit(dataset: Dataset) -> None:
    found = []
    for count in (1, 5):
        torch.set_num_threads(count)
        found.append(torch.cat([part for part, _ in dataset.batches("train", 3, None, seeded())]))
    assert torch.equal(*found)


def test_augmented_batches_depend_on_the_generator_and_differ_from_prepared_ones(dataset: Dataset) -> None:
    first, again, other = (next(dataset.batches("train", 20, None, seeded(seed)))[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, next(dataset.batches("train", 20))[0])


def test_images_are_decoded_shortly_before_they_are_asked_for(dataset: Dataset, tmp_path: Path) -> None:
    source = find_images(tmp_path, "imagenet", with_val=True).train
    files = [source.path(row) for row in dataset.train.rows.tolist()]
    for file in files[6:]:  # later than the first batch of two and the two batches ahead of it
        file.write_bytes(b"not here yet")
    batches = dataset.batches("train", 2)
    for number in range(10):
        inputs, _ = next(batches)
        assert torch.isfinite(inputs).all()
        for file in files[6 + 2 * number : 8 + 2 * number]:
            file.write_bytes(encoded(number))
    assert next(batches, None) is None


@pytest.mark.parametrize("unused", [1, 4])
def test_batches_after_some_that_nobody_uses_are_as_ever_and_only_those_are_decoded(
    dataset: Dataset, tmp_path: Path, unused: int
) -> None:
    def drawing(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return images + torch.rand(1, generator=generator)

    dataset, order = replace(dataset, augment=drawing), torch.randperm(20, generator=seeded(1))
    expected = list(dataset.batches("train", 3, order, seeded()))
    source = find_images(tmp_path, "imagenet", with_val=True).train
    for row in dataset.train.rows[order[: 3 * unused]].tolist():
        source.path(row).write_bytes(b"damaged since")
    dataset = replace(dataset, train=dataset.train.passing_over(unused))
    found = list(dataset.batches("train", 3, order, seeded()))
    assert len(found) == len(expected) == 7
    for one, other in zip(found[unused:], expected[unused:], strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


def test_an_unreadable_image_is_named(dataset: Dataset, tmp_path: Path) -> None:
    source = find_images(tmp_path, "imagenet", with_val=True).train
    for row, damage in ((3, b"no image"), (7, source.path(5).read_bytes()[:300]), (9, None)):
        path, place = source.path(row), dataset.train.rows.tolist()
        whole = path.read_bytes()
        path.unlink() if damage is None else path.write_bytes(damage)
        split = "train" if row in place else "validation"
        with pytest.raises(DataError, match=rf"{path.name} cannot be read as an image: "):
            list(dataset.batches(split, 4))
        path.write_bytes(whole)


def test_no_thread_outlives_a_loop_that_was_left(dataset: Dataset) -> None:
    before = threading.active_count()
    for _ in dataset.batches("train", 2):
        break
    assert threading.active_count() == before
    for _ in dataset.batches("train", 2):
        pass
    assert threading.active_count() == before


@pytest.mark.parametrize(("mode", "kind"), [("L", "JPEG"), ("CMYK", "JPEG"), ("RGBA", "PNG"), ("P", "PNG")])
def test_images_that_are_not_rgb_become_so(dataset: Dataset, tmp_path: Path, mode: str, kind: str) -> None:
    source = find_images(tmp_path, "imagenet", with_val=True).train
    row = int(dataset.train.rows[0])
    source.path(row).write_bytes(encoded(row, mode, kind))
    inputs, _ = next(dataset.batches("train", 1))
    assert inputs.shape == (1, 3, 32, 32)
    assert inputs.std().item() > 0.1
