"""docs/reliability.md says of every promise that a test here measures."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.promises import table

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "reliability.md"


def promises_in(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "promise":
            name = node.args[0]
            assert isinstance(name, ast.Constant), f"{file.name}:{node.lineno}: a promise is named in plain text"
            yield str(name.value)


@pytest.mark.parametrize("file", sorted(HERE.rglob("test_*.py")), ids=lambda file: file.stem)
def test_the_document_has_a_row_for_every_promise_that_is_measured(file: Path) -> None:
    rows = {line.split("|")[1].strip() for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if "|" in line}
    assert set(promises_in(file)) <= rows


def test_a_table_has_a_row_for_each_measurement() -> None:
    assert table([("One", "0", "0 of 3")]).splitlines() == [
        "| promise | target | measured |",
        "| --- | --- | --- |",
        "| One | 0 | 0 of 3 |",
    ]
