"""Colours of series keep apart: to colour-blind eyes, in grey print, and from the page behind them."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from autoreg.report.figures.style import SERIES_COLOURS

Numbers = NDArray[np.float64]
#: What an eye without one kind of cone sees of linear RGB (Machado, Oliveira, Fernandes 2009, severity 1).
EYES = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900],
    ],
}  # fmt: skip
#: Linear sRGB to CIE XYZ; the second row is the luminance.
XYZ = np.array([[0.412456, 0.357576, 0.180438], [0.212673, 0.715152, 0.072175], [0.019334, 0.119192, 0.950304]])
PAGES = {"light": "#ffffff", "dark": "#14171b"}


def linear(colour: str) -> Numbers:
    values = np.array(to_rgb(colour))
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(light: Numbers) -> Numbers:
    """CIE L*a*b* of linear RGB, against white."""
    ratio = (XYZ @ light) / XYZ.sum(axis=1)
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def seen(colour: str, eye: str) -> Numbers:
    return lab(np.clip(np.array(EYES[eye]) @ linear(colour), 0, 1))


def test_the_scale_is_the_known_one() -> None:
    assert lab(linear("#ffffff")) == pytest.approx([100, 0, 0], abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    red, green = (seen(colour, "deuteranopia") for colour in ("#c04000", "#5c7a00"))
    assert np.linalg.norm(red - green) < 15 < np.linalg.norm(lab(linear("#c04000")) - lab(linear("#5c7a00")))


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("page", PAGES)
def test_no_two_series_are_one_colour_to_any_eye(page: str, eye: str) -> None:
    looks = {colour: seen(colour, eye) for colour in SERIES_COLOURS[page]}
    near = [pair for pair in combinations(looks, 2) if np.linalg.norm(looks[pair[0]] - looks[pair[1]]) < 20]
    assert near == []


@pytest.mark.parametrize("page", PAGES)
def test_no_two_series_are_one_grey(page: str) -> None:
    greys = sorted(lab(linear(colour))[0] for colour in SERIES_COLOURS[page])
    assert min(np.diff(greys)) > 5


@pytest.mark.parametrize(("page", "least"), [("light", 3.0), ("dark", 4.5)])
def test_every_series_stands_out_from_the_page(page: str, least: float) -> None:
    """The contrast of WCAG 2.2, which asks for 3 of graphics."""
    back = XYZ[1] @ linear(PAGES[page])
    for colour in SERIES_COLOURS[page]:
        low, high = sorted([back, XYZ[1] @ linear(colour)])
        assert (high + 0.05) / (low + 0.05) > least, colour
