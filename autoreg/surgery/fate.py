"""What has become of a network's units, by layer."""

from collections.abc import Mapping

import polars as pl
import torch

from autoreg.surgery.order import Surgery
from autoreg.surgery.sites import Cut
from autoreg.surgery.surgeon import Surgeon


def fate_of_units(surgeon: Surgeon, surgery: Surgery, cuts: Mapping[int, Cut]) -> pl.DataFrame:
    """Return a row for each set of units that are kept or taken out together; `Small.layers` says what is in it."""
    after, rows = surgeon.kept(cuts), []
    for index, site in enumerate(surgeon.anatomy.sites):
        cut = cuts.get(index)
        rows.append(
            {
                "layer": site.name,
                "before": site.units,
                "after": after[index],
                **dict.fromkeys(("dead", "dropped", "merged", "rebuilt", "constant"), 0),
                **(_taken(surgeon, index, surgery, cut, after[index]) if cut else {}),
                "whole": site.whole,
            }
        )
    return pl.DataFrame(rows, schema_overrides={"whole": pl.String})


def _taken(surgeon: Surgeon, site: int, surgery: Surgery, cut: Cut, after: int) -> dict[str, int]:
    """Return how many of a site's units went in which way."""
    removed = cut.removed(surgeon.anatomy.sites[site].units)
    dead, gone = torch.ones(len(removed), dtype=torch.bool), torch.ones(len(removed), dtype=torch.bool)
    for reading, mend in zip(surgeon.readings[site], cut.mends, strict=True):
        dead &= reading.second.diagonal()[removed] <= 0
        gone &= ~mend.matrix.any(1) & (mend.offset == 0)
    replaced = "rebuilt" if surgery == "rebuild" else "merged"
    counts = {"dead": int(dead.sum()), "dropped": int((gone & ~dead).sum()), replaced: int((~gone & ~dead).sum())}
    return counts | {"constant": after - len(cut.kept)}
