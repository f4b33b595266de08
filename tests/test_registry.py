"""Unknown names are answered with the known ones; options are checked by the function's own signature."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from autoreg.errors import ConfigError
from autoreg.registry import Registry


@pytest.fixture
def things() -> Registry[Any]:
    registry: Registry[Any] = Registry("thing")

    @registry.register
    def widget(size: int, *, weight: Annotated[float, Field(gt=0)], colour: str = "red", count: int = 1) -> str:
        return f"{size} {weight} {colour} {count}"

    return registry


def test_an_unknown_name_is_answered_with_the_known_ones(things: Registry[Any]) -> None:
    with pytest.raises(ConfigError, match=r"unknown thing 'wiget'; did you mean 'widget'\? \(allowed: widget\)"):
        things["wiget"]


def test_a_name_is_registered_once(things: Registry[Any]) -> None:
    def widget() -> None:
        """Another."""

    with pytest.raises(ValueError, match="registered twice"):
        things.register(widget)


def test_an_option_that_repeats_the_default_is_left_out(things: Registry[Any]) -> None:
    assert things.check_options("widget", {"weight": 1, "colour": "red", "count": 2}) == {"weight": 1.0, "count": 2}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": 1, "color": "red"}, "has no option 'color'; did you mean 'colour'"),
        ({}, "needs the option 'weight'"),
        ({"weight": 0}, "should be greater than 0, got 0"),
        ({"weight": "heavy"}, "should be a valid number, got 'heavy'"),
        ({"weight": 1, "count": 1.5}, "should be a valid integer, got 1.5"),
        ({"weight": 1, "count": True}, "should be a valid integer, got True"),
    ],
)
def test_options_that_do_not_fit_are_refused(things: Registry[Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        things.check_options("widget", options)


def test_a_dotted_path_names_a_function_outside(things: Registry[Any]) -> None:
    assert things["math:sqrt"](4) == 2
    for path in ("no_such_module:f", "math:no_such_function"):
        with pytest.raises(ConfigError, match="cannot be imported"):
            things[path]


def test_a_signature_reads_like_python(things: Registry[Any]) -> None:
    assert things.signature("widget") == "weight: float, colour: str = 'red', count: int = 1"


def test_a_signature_shows_choices_and_lists_and_leaves_ranges_out(things: Registry[Any]) -> None:
    @things.register
    def shelf(
        *,
        shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)],
        boards: Annotated[int, Field(ge=1)] | None = None,
        wood: Literal["oak", "pine"] = "oak",
        owner: Any = None,
    ) -> None:
        """A shelf."""

    shown = "shape: list[int], boards: int | None = None, wood: 'oak' | 'pine' = 'oak', owner: Any = None"
    assert things.signature("shelf") == shown
