"""Crops: the centre as torchvision has it, random parts that lie within the image."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from autoreg.datasets.images.imagenet_crops import ImagenetCrops, random_box


def image(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def draws(count: int, seed: int = 0) -> list[list[float]]:
    return ImagenetCrops(224).draw(count, torch.Generator().manual_seed(seed))


def test_the_centre_of_an_image_that_needs_no_resizing_is_cut_out_of_it() -> None:
    whole = image(64, 32)
    crop = np.asarray(ImagenetCrops(28).crop(whole, None))
    assert np.array_equal(crop, np.asarray(whole)[2:30, 18:46])


@pytest.mark.parametrize("size", [224, 299])
@pytest.mark.parametrize("shape", [(500, 375), (375, 500), (160, 213), (256, 256), (333, 501), (20, 700)])
def test_the_centre_is_torchvisions(size: int, shape: tuple[int, int]) -> None:
    whole = image(*shape)
    resize = transforms.Resize(256 if size == 224 else 342)
    expected = transforms.CenterCrop(size)(resize(whole))
    assert np.array_equal(np.asarray(ImagenetCrops(size).crop(whole, None)), np.asarray(expected))


@pytest.mark.parametrize("shape", [(500, 375), (40, 60), (1, 1), (3, 200)])
def test_a_random_part_lies_within_the_image(shape: tuple[int, int]) -> None:
    width, height = shape
    for drawn in draws(500):
        left, top, right, bottom = random_box(width, height, drawn[:-1])
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


def test_random_parts_have_the_areas_and_aspects_that_they_should_have() -> None:
    boxes = [random_box(500, 400, drawn[:-1]) for drawn in draws(4000)]
    sides = np.array([(right - left, bottom - top) for left, top, right, bottom in boxes])
    areas, aspects = sides.prod(1) / (500 * 400), np.log(sides[:, 0] / sides[:, 1])
    assert (areas.min(), areas.max()) == (pytest.approx(0.08, abs=0.01), pytest.approx(1, abs=0.03))
    assert np.abs(aspects).max() == pytest.approx(math.log(4 / 3), abs=0.02)
    corners = np.array(boxes)
    assert corners.min(0).tolist()[:2] == [0, 0]
    assert corners.max(0).tolist()[2:] == [500, 400]


def test_an_image_in_which_no_attempt_fits_gives_its_centre() -> None:
    [drawn] = draws(1)
    assert random_box(1000, 30, drawn[:-1]) == (480, 0, 520, 30)
    assert random_box(30, 1000, drawn[:-1]) == (0, 480, 30, 520)


def test_a_training_crop_is_that_part_resized_and_flipped_half_of_the_time() -> None:
    whole, crops = image(120, 90), ImagenetCrops(32)
    flipped = 0
    for drawn in draws(200):
        expected = np.asarray(whole.crop(random_box(120, 90, drawn[:-1])).resize((32, 32), Image.Resampling.BILINEAR))
        found = np.asarray(crops.crop(whole, drawn))
        flip = not np.array_equal(found, expected)
        assert np.array_equal(found[:, ::-1], expected) if flip else True
        flipped += flip
    assert 70 < flipped < 130


def test_random_numbers_depend_on_the_generator_only() -> None:
    assert draws(3) == draws(3)
    assert draws(3) != draws(3, seed=1)
