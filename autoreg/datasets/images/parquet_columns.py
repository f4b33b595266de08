"""Which columns of Parquet files hold images and labels, by the types of the columns."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from autoreg.errors import DataError, first_line


@dataclass(frozen=True)
class Columns:
    """Which columns hold the images and their labels.

    Attributes:
        image: by name; a struct with an image's file as `bytes`, or the file itself.
        label: by name.
        classes: their names, where the files have them.
        are_texts: whether labels are the names themselves.
    """

    image: str
    label: str
    classes: tuple[str, ...] = ()
    are_texts: bool = False

    def names(self, count: int) -> Sequence[str]:
        """Return what each of so many labels is called."""
        return self.classes if len(self.classes) >= count else [str(label) for label in range(count)]


def find_columns(paths: Sequence[Path], image: str | None, label: str | None) -> Columns:
    """Return the columns of images and labels: those named, else the only ones of their type.

    Labels are what the hub's description in the file calls `ClassLabel`, else a column called label, else integers.
    Where they are texts, or categories of texts, the classes are all of them, sorted.

    Args:
        paths: the files for training, the first of which says what the columns are.
        image: the column of images, or None.
        label: the column of labels, or None.

    Raises:
        DataError: a file is damaged, a named column is not there or of another type, or several may be meant.
    """
    path = paths[0]
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is damaged: {first_line(error)}") from error
    features = _features(schema)
    integers = [field.name for field in schema if pa.types.is_integer(field.type)]
    described = [name for name in integers if features.get(name, {}).get("_type") == "ClassLabel"]
    images = [field.name for field in schema if _is_image(field.type)]
    chosen = _chosen(path, schema, "image", image, images, "files of images (struct with bytes, or binary)")
    texts = [field.name for field in schema if _is_text(field.type)]
    called_so = [name for name in schema.names if name.casefold() in ("label", "labels") and name not in integers]
    if label is None and not described and len(called_so) == 1:
        label = called_so[0]
    there = described if described and label is None else integers if label is None else [*integers, *texts]
    kind = "integers" if label is None else "integers from 0, texts or categories of texts"
    labels = _chosen(path, schema, "label", label, there, kind)
    if labels in texts:
        return Columns(chosen, labels, _texts(paths, labels), are_texts=True)
    names = features.get(labels, {}).get("names")
    classes = tuple(map(str, names)) if isinstance(names, list) else ()
    return Columns(chosen, labels, classes)


def _is_text(kind: pa.DataType) -> bool:
    """Whether a column holds texts, or categories of texts."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _texts(paths: Sequence[Path], column: str) -> tuple[str, ...]:
    found: set[str] = set()
    for path in paths:
        try:
            found.update(pc.unique(pq.read_table(path, columns=[column])[column].cast(pa.string())).to_pylist())
        except (pa.ArrowException, KeyError, OSError) as error:
            raise DataError(f"{path} has no labels in a column {column!r}: {first_line(error)}") from error
    return tuple(sorted(name for name in found if name is not None))


def _chosen(path: Path, schema: pa.Schema, option: str, wanted: str | None, fits: list[str], kind: str) -> str:
    known = ", ".join(fits) or ", ".join(f"{field.name} ({field.type})" for field in schema)
    if wanted is not None and wanted in fits:
        return wanted
    if wanted is not None and wanted in schema.names:
        raise DataError(
            f"{path}: column {wanted!r} should be {kind}, got {schema.field(wanted).type}; "
            f"the option `{option}` names another column"
        )
    if wanted is not None:
        raise DataError(f"{path} has no column {wanted!r} of {kind}; there are: {known}")
    if len(fits) == 1:
        return fits[0]
    if not fits:
        raise DataError(f"{path} has no column of {kind}; there are: {known}; the option `{option}` names one")
    raise DataError(f"{path} has several columns of {kind}; say which by the option `{option}`: {known}")


def _features(schema: pa.Schema) -> dict[str, dict[str, object]]:
    """Return the hub's description of the columns, or nothing."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {name: feature for name, feature in features.items() if isinstance(feature, dict)}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _is_image(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _is_image(kind.field(index).type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
