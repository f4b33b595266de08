"""Unknown names are answered with the known ones; options are checked by the function's own signature."""

from pathlib import Path
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


# As users write them, without annotations:
def bare(size, *, bias=True, slope=0.1, depth=2, kind="relu", sizes=(8, 8), limit=None): ...  # type: ignore[no-untyped-def]


def either(size: int, *, two: int | bool = 1) -> None: ...


def texts(size: int, *, count: "Annotated[int, Field(ge=2)]" = 3) -> None: ...


class Made:
    def __init__(self, size: int, *, count: "Annotated[int, Field(ge=2)]" = 3) -> None: ...


def unknown(size: int, *, count: "NoSuch" = 3) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.fixture
def things() -> Registry[Any]:
    registry: Registry[Any] = Registry("thing", "size")

    @registry.register
    def widget(size: int, *, weight: Annotated[float, Field(gt=0)], colour: str = "red", count: int = 1) -> str:
        return f"{size} {weight} {colour} {count}"

    return registry


def test_the_name_of_a_file_is_answered_with_how_its_functions_are_called(
    things: Registry[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wiget.py").write_text("")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"unknown thing 'wiget'; a function in wiget\.py is called wiget:FUNCTION$"):
        things["wiget"]


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


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("bias", False), ("slope", 1), ("slope", 1e-4), ("slope", None), ("depth", 3), ("depth", None),
        ("kind", "tanh"), ("kind", None), ("sizes", [4, 4]), ("limit", 5), ("limit", "most"), ("limit", False),
    ],
)  # fmt: skip
def test_an_option_without_annotation_is_of_its_defaults_type(
    things: Registry[Any], option: str, value: object
) -> None:
    checked = things.check_options("tests.test_registry:bare", {option: value})[option]
    assert (checked, type(checked)) == (value, type(value))


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("bias", "no", "should be a valid boolean, got 'no'"),
        ("bias", "False", "should be a valid boolean, got 'False'"),
        ("bias", 0, "should be a valid boolean, got 0"),
        ("bias", None, "should be a valid boolean, got None"),
        ("slope", "1/4", "should be a valid number, got '1/4'"),
        ("depth", "0x10", "should be a valid integer, got '0x10'"),
        ("depth", True, "should be a valid integer, got True"),
        ("kind", 3, "should be a valid string, got 3"),
        ("sizes", "4, 4", "should be a valid list, got '4, 4'"),
        ("limit", "off", "should be true, false or null, or be annotated as str, got 'off'"),
        ("limit", "No", "should be true, false or null, or be annotated as str, got 'No'"),
        *(
            ("limit", word, f"should be true, false or null, or be annotated as str, got '{word}'")
            for word in ("None", "nil", "NaN", "false", "True", "NULL")
        ),
        ("limit", ["no", "yes"], "should be true, false or null"),
        ("sizes", ["None"], "should be true, false or null"),
        ("sizes", [3, [4, "off"]], "should be true, false or null"),
        ("kind", "None", "should be null, or be annotated as str, got 'None'"),
        ("depth", 64.5, "should be a valid integer"),
        ("depth", 2.0, "should be a valid integer, got 2.0"),
    ],
)
def test_an_option_without_annotation_is_refused_where_its_default_says_so(
    things: Registry[Any], option: str, value: object, rule: str
) -> None:
    with pytest.raises(ConfigError, match=f"option '{option}' of thing 'tests.test_registry:bare' {rule}"):
        things.check_options("tests.test_registry:bare", {option: value})


def test_true_is_not_taken_for_a_default_of_one(things: Registry[Any]) -> None:
    for value, left in ((True, {"two": True}), (1, {})):
        assert things.check_options("tests.test_registry:either", {"two": value}) == left


def test_annotations_that_are_texts_count_too(things: Registry[Any]) -> None:
    for name in ("tests.test_registry:texts", "tests.test_registry:Made"):
        assert things.check_options(name, {"count": 5}) == {"count": 5}
        with pytest.raises(ConfigError, match="should be greater than or equal to 2, got 1"):
            things.check_options(name, {"count": 1})
    with pytest.raises(ConfigError, match="has an annotation that cannot be read: NameError: name 'NoSuch'"):
        things.check_options("tests.test_registry:unknown", {"count": 1})


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
