"""YAML means what a person means by it, or is refused."""

import re

import pytest

from autoreg.config.strict_yaml import parse
from autoreg.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4), ("1E3", 1000.0), ("-2.5", -2.5), (".5", 0.5), ("7", 7), ("-7", -7), ("true", True), ("~", None),
        ("True", True), ("TRUE", True), ("False", False), ("FALSE", False), ("tRUE", "tRUE"), ("'True'", "True"),
        ("null", None), ("Null", None), ("NULL", None), ("None", "None"), ("off", "off"),
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("010", "010"), ("0x10", "0x10"), ("1_0", "1_0"),
        ("1:30", "1:30"), ("2026-01-01", "2026-01-01"), (".nan", ".nan"), ("1/4", "1/4"), ("'5'", "5"), ('"no"', "no"),
        (r'"\ud83d\ude00"', "\U0001f600"), ("'\U0001f600'", "\U0001f600"),
    ],
)  # fmt: skip
def test_a_scalar_is_a_number_only_if_a_person_would_say_so(text: str, value: object) -> None:
    found = parse(f"key: {text}", "x.yaml").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_the_line_of_each_key_is_known() -> None:
    document = parse("a: 1\nb:\n  c: 2\n  d: [3,\n   4]\n", "x.yaml")
    assert document.where(("b", "c")) == "x.yaml:3"
    assert document.where(("b", "d", 1)) == "x.yaml:5"
    assert document.where(("b", "unknown")) == "x.yaml:2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "x.yaml:2: a: the key stands here a second time"),
        ("a: &x 1\nb: *x", "x.yaml:1: anchors and aliases are not allowed"),
        ("a: !!python/object:os.system x", "x.yaml:1: tags are not allowed"),
        ("a: !custom x", "x.yaml:1: tags are not allowed"),
        ("a:\n\tb: 1", "x.yaml:2: not valid YAML"),
        ("a: [1", "x.yaml:1: not valid YAML"),
        ("? [1]\n: 2", "a key must be plain text"),
    ],
)
def test_what_is_not_plain_data_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse(text, "x.yaml")
