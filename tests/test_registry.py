"""Unknown names are answered with the known ones; options are checked by the function's own signature."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from autoreg.errors import ConfigError
from autoreg.registry import Registry

NUMBER = 3


def own(size: int, *, power: int = 2) -> int:
    return size**power


def unused(_size: int) -> None: ...


def rest(size: int, *others: int) -> None: ...


def anything(*things: int) -> None: ...


def unlike(command: str) -> None: ...


@pytest.fixture
def things() -> Registry[Any]:
    registry: Registry[Any] = Registry("thing", "size")

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
    assert things["tests.test_registry:own"](4) == 16
    for path in ("no_such_module:f", "tests.test_registry:no_such_function"):
        with pytest.raises(ConfigError, match="cannot be imported"):
            things[path]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("tests.test_registry:unlike", r"must be a function \(size, \*, options…\), got \(command: str\)"),
        ("tests.test_registry:anything", r"must be a function \(size, \*, options…\), got \(\*things: int\)"),
        ("tests.test_registry:NUMBER", r"must be a function \(size, \*, options…\), got 3"),
        ("torch:sum", r"must be a function"),
        ("os:system", "'os' is a module of Python itself"),
        ("os.path:isfile", "'os' is a module of Python itself"),
    ],
)
def test_a_function_outside_takes_the_arguments_that_ours_take(things: Registry[Any], path: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        things[path]


@pytest.mark.parametrize("name", ["own", "unused", "rest"])
def test_an_argument_that_is_not_used_may_say_so(things: Registry[Any], name: str) -> None:
    assert things[f"tests.test_registry:{name}"]


def test_a_signature_reads_like_python(things: Registry[Any]) -> None:
    assert things.signature("widget") == "weight: float, colour: str = 'red', count: int = 1"


def test_a_signature_shows_choices_and_lists_and_leaves_ranges_out(things: Registry[Any]) -> None:
    @things.register
    def shelf(
        *,
        shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)],
        boards: int | None = None,
        wood: Literal["oak", "pine"] = "oak",
        owner: Any = None,
    ) -> None:
        """A shelf."""

    shown = "shape: list[int], boards: int | None = None, wood: Literal['oak', 'pine'] = 'oak', owner: Any = None"
    assert things.signature("shelf") == shown
