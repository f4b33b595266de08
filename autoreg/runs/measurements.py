"""The file of a measurement: its rows as Parquet, and in its metadata what they are of and a hash of all that.

Files of the first versions name neither their trial nor a hash.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from autoreg.config.trial import measurement_id
from autoreg.errors import DataError, first_line
from autoreg.files import write_bytes

#: What a measurement's metadata have at least.
FACTS = ("metric", "version", "split", "options")


#: A hash of the whole file with zeros in the hash's own place.
_DIGEST = re.compile(rb"blake2b:(.{32})", re.DOTALL)
_NO_DIGEST = b"blake2b:" + 32 * b"0"


def write_measurement(path: Path, frame: pl.DataFrame, facts: Mapping[str, str]) -> None:
    """Write a measurement's rows into the folder of its trial.

    Args:
        path: the file, as `TrialFolder.measurement_path` gives it.
        frame: the rows.
        facts: metric, version, split and options, as texts.
    """
    file = BytesIO()
    owner = {"trial_id": path.parent.parent.name, "digest": _NO_DIGEST.decode()}
    frame.write_parquet(file, compression="zstd", metadata={**facts, **owner})
    head, _, tail = file.getvalue().rpartition(_NO_DIGEST)
    write_bytes(path, head + b"blake2b:" + _hash_of(file.getvalue()) + tail)


def read_measurement(path: Path) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return the facts of a measurement, its version a number, and its rows.

    Raises:
        DataError: the file is damaged, or its rows are of another trial, metric, version or split, or of other options.
    """
    advice = "remove it to have the trial measured again"
    stated: dict[str, Any]
    try:
        content = path.read_bytes()
        _check_digest(content)  # first, since a changed byte can end the process that reads the rows
        facts, frame = pl.read_parquet_metadata(BytesIO(content)), pl.read_parquet(BytesIO(content))
        stated = {**{name: facts[name] for name in FACTS}, "version": int(facts["version"])}
        options = json.loads(stated["options"])
        identity = measurement_id(stated["metric"], stated["version"], stated["split"], options)
    except (pl.exceptions.PolarsError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged; {advice} ({first_line(error)})") from error
    owner = path.parent.parent.name
    if facts.get("trial_id", owner) != owner:
        raise DataError(f"{path} is of trial {facts['trial_id']}, not of {owner}; {advice}")
    if stated["metric"].replace(":", ".") != path.stem.rpartition("-")[0]:
        raise DataError(f"{path} has rows of the metric {stated['metric']}, which its name does not say; {advice}")
    if identity != path.stem.rpartition("-")[2]:
        whose = ", ".join(f"{name} {stated[name]}" for name in FACTS[1:])
        raise DataError(f"{path} has the rows of another measurement ({whose}); {advice}")
    return stated, frame


def digest_of(path: Path) -> str | None:
    """Return the hash that a measurement's file says to have, None if it names none: much quicker than to read it."""
    with suppress(OSError), path.open("rb") as file:  # a file that ends before its metadata
        file.seek(-8, os.SEEK_END)
        size = int.from_bytes(file.read(4), "little")
        file.seek(-8 - size, os.SEEK_END)
        for digest in [*_DIGEST.finditer(file.read(size))][-1:]:
            return digest[1].decode(errors="replace")
    return None


def _check_digest(content: bytes) -> None:
    for digest in [*_DIGEST.finditer(content)][-1:]:
        blank = content[: digest.start()] + _NO_DIGEST + content[digest.end() :]
        if _hash_of(blank) != digest[1]:
            raise ValueError("its content is not what was written, as its digest says")


def _hash_of(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).hexdigest().encode()
