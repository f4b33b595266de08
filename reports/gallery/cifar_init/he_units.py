"""Where nearly dead units are active, and what is similar without them: `python he_units.py RUNS OUT`.

It takes the trained networks of a run folder (with their weights, and AUTOREG_DATA), and writes two files. A unit is
nearly dead if it is active at fewer than 1 in 1,000 positions of the test split, and live if it is neither that nor
dead. |r| is over all vectors; two units are similar from 0.5 on.

`he_units.csv`, one row for each trial and layer: similar pairs by what their units are; similar units per unit with a
dead one counted as -1 (`released`), and among live units only (`live_only`); and of the similar pairs with a nearly
dead unit, on how many pictures both are active (`shared_pictures`, median over the pairs).

`he_pictures.csv`, one row for each trial and picture of the 20 that switch on most nearly dead units of conv2: how many
of them it switches on, how many there are, and which share of all their activity (positions) lies on it.
"""

import sys
from pathlib import Path

import polars as pl
import torch

from autoreg.datasets import build_dataset
from autoreg.moments import Moments
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.training.loop import load_network

SIMILAR, NEARLY_DEAD, LAYER, PICTURES = 0.5, 1e-3, "conv2", 20


@torch.inference_mode()
def units_of(folder: TrialFolder) -> tuple[list[dict], list[dict]]:
    """Return the rows of one trial."""
    config = folder.read_config()
    dataset = build_dataset(config, None, "cpu")
    network = load_network(config, folder, dataset)
    moments: dict[str, Moments] = {}
    positions: dict[str, list[torch.Tensor]] = {}  # at how many of them a unit is active, [pictures, units]
    for inputs, _ in dataset.batches("test"):
        for layer, values in network.walk(inputs):
            flat = values.reshape(*values.shape[:2], -1)
            vectors = flat.transpose(1, 2).flatten(0, 1)
            moments.setdefault(layer, Moments(vectors)).add(vectors)
            positions.setdefault(layer, []).append((flat != 0).sum(2, dtype=torch.int32))
    own = {"trial": folder.trial_id, "initializer": config.initializer.name, "width": config.width}
    own["replicate"] = config.replicate
    rows, pictures = [], []
    for layer, found in moments.items():
        active = torch.cat(positions[layer])
        dead = (found.high == found.low) | (found.scatter.diagonal() <= 0)
        near = ~dead & (active.sum(0) < NEARLY_DEAD * found.count)
        live = ~dead & ~near
        scale = torch.where(dead, 0.0, found.scatter.diagonal().rsqrt())
        similar = (found.scatter * scale * scale[:, None]).abs() >= SIMILAR
        similar &= ~dead & ~dead[:, None]
        similar.fill_diagonal_(False)
        pairs = {
            f"{first}_{second}_pairs": int((similar & left[:, None] & right).sum()) // (2 if first == second else 1)
            for first, left, second, right in (
                ("live", live, "live", live), ("live", live, "near", near), ("near", near, "near", near),
            )
        }  # fmt: skip
        on = (active > 0).float()
        together = (on.T @ on)[(similar & (near | near[:, None])).triu()]
        rows.append(
            {
                **own,
                "layer": layer,
                "units": len(dead),
                "dead": int(dead.sum()),
                "nearly_dead": int(near.sum()),
                "live": int(live.sum()),
                **pairs,
                "released": (similar.sum(1) - dead.long()).double().mean().item(),
                "live_only": (similar & live)[live].sum(1).double().mean().item() if live.any() else None,
                "shared_pictures": together.median().item() if len(together) else None,
            }
        )
        if layer == LAYER and near.any():
            switched_on, all_activity = on[:, near].sum(1), active[:, near].sum().item()
            for rank, picture in enumerate(switched_on.argsort(descending=True, stable=True)[:PICTURES].tolist()):
                share = active[picture, near].sum().item() / all_activity
                counts = {"switched_on": int(switched_on[picture]), "nearly_dead": int(near.sum())}
                pictures.append({**own, "rank": rank + 1, "picture": picture, **counts, "share_of_activity": share})
    return rows, pictures


if __name__ == "__main__":
    runs, out = Runs(Path(sys.argv[1])), Path(sys.argv[2])
    found = [units_of(folder) for folder in runs.trials() if folder.checkpoint_path.exists()]
    order = ["initializer", "width", "replicate"]
    for name, part, last in (("units", 0, "layer"), ("pictures", 1, "rank")):
        rows = [row for parts in found for row in parts[part]]
        pl.DataFrame(rows, infer_schema_length=None).sort(*order, last).write_csv(out / f"he_{name}.csv")
