"""Another value of any field of a model, so that a test over all fields covers those to come."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)

VALUES: list[Any] = [True, False, 3, 7, 0.5, "all", "bfloat16", "mup", "tune", "another"]


def with_another(model: Model, field: str, values: list[Any] = VALUES) -> Model:
    """Return a model with another value in one field: the first of some that may stand there."""
    for value in values:
        try:
            changed = type(model).model_validate({**model.model_dump(), field: value})
        except ValidationError:
            continue
        if getattr(changed, field) != getattr(model, field):
            return changed
    raise AssertionError(f"{type(model).__name__}.{field} takes none of {values}")
