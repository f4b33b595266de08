"""Tiny real images in each layout in which people have ImageNet."""

import io
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

SYNSETS = ["n01440764", "n01443537", "n02084071"]
#: Images of each class.
TRAIN, VAL = 8, 3


def encoded(seed: int, mode: str = "RGB", kind: str = "JPEG") -> bytes:
    """A smooth image of a size of its own."""
    random = np.random.default_rng(seed)
    size = tuple(random.integers(30, 60, 2).tolist())
    coarse = Image.fromarray(random.integers(256, size=(5, 5, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    coarse.resize(size, Image.Resampling.BICUBIC).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def images(part: str) -> list[tuple[str, str, bytes]]:
    """Synset, file name and content of each image, in the order of the files."""
    count, first = (TRAIN, 0) if part == "train" else (VAL, 1000)
    return [
        (synset, f"{synset}_{number}.JPEG", encoded(first + 100 * label + number))
        for label, synset in enumerate(SYNSETS)
        for number in range(count)
    ]


def write_folders(base: Path) -> Path:
    for part in ("train", "val"):
        for synset, name, content in images(part):
            (base / part / synset).mkdir(parents=True, exist_ok=True)
            (base / part / synset / name).write_bytes(content)
    return base


def write_kaggle(base: Path, place: str = "ILSVRC/Data/CLS-LOC") -> Path:
    write_folders(base / place)
    rows = ["ImageId,PredictionString"]
    for synset, name, _ in images("val"):
        (base / place / "val" / synset / name).rename(base / place / "val" / name)
        rows.append(f"{name.removesuffix('.JPEG')},{synset} 1 2 30 40 {synset} 5 6 7 8 ")
    for synset in SYNSETS:
        (base / place / "val" / synset).rmdir()
    (base / "LOC_val_solution.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return base


def write_parquet(base: Path, val: str = "validation", shards: int = 2) -> Path:
    base.mkdir(parents=True, exist_ok=True)
    for part, stem in (("train", "train"), ("val", val)):
        frame = pl.DataFrame(
            {
                "image": [{"bytes": content, "path": name} for _, name, content in images(part)],
                "label": [SYNSETS.index(synset) for synset, _, _ in images(part)],
            }
        )
        size = -(-len(frame) // shards)
        for shard in range(shards):
            path = base / f"{stem}-{shard:05}-of-{shards:05}.parquet"
            frame[shard * size : (shard + 1) * size].write_parquet(path, row_group_size=5)
    return base
