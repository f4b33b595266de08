"""Which units are read by the same maps, and may therefore stand for each other: the sites of a model."""

from collections import Counter, defaultdict
from typing import Any

import numpy as np
from torch import nn

from autoreg.surgery.columns import NO_UNIT, Integers
from autoreg.surgery.known import CONVOLUTIONS
from autoreg.surgery.operations import OUTPUT, Use
from autoreg.surgery.sites import Read, Site
from autoreg.surgery.trace import Traced

#: A read, before it is known which units belong to it: path of the map, which of its reads of a unit, positions.
_Key = tuple[str, int, int]


def find_sites(model: nn.Module, traced: Traced) -> dict[Site, Integers]:
    """Return the sites of a model, in the order in which their units are made, and the roots of their units."""
    roots, whole = traced.units.roots(), traced.units.whole()
    places: dict[_Key, dict[int, int]] = defaultdict(dict)  # of each unit's first column
    for use in traced.uses:
        if use.mixes:
            for key, root, place in _reads(use, roots):
                places[key][root] = place
    reads: dict[int, list[_Key]] = defaultdict(list)
    for key, read in places.items():
        for root in read:
            reads[root].append(key)
    makers = {unit: use.path for use in traced.uses if use.mixes for unit in use.outputs.units.tolist()}
    grouped: dict[tuple[tuple[_Key, ...], str | None, str], list[int]] = defaultdict(list)
    for root in np.unique(roots).tolist():
        if reads[root] or whole.get(root) != OUTPUT:  # others are logits
            maker = "" if reads[root] else makers[root]
            grouped[tuple(reads[root]), whole.get(root), maker].append(root)
    sites: dict[Site, Integers] = {}
    names: Counter[str] = Counter()
    for (keys, reason, _), units in grouped.items():
        if keys:
            units.sort(key=places[keys[0]].__getitem__)
        name = _name(traced, roots, np.array(units), makers)
        names[name] += 1
        name += f" ({names[name]})" if names[name] > 1 else ""
        found = tuple(
            Read(key[0], tuple(places[key][unit] for unit in units), key[2], _pads(model.get_submodule(key[0])))
            for key in keys
        )
        sites[Site(name, len(units), found, reason)] = np.array(units)
    return sites


def _reads(use: Use, roots: Integers) -> list[tuple[_Key, int, int]]:
    if use.inputs is None:
        return []
    seen: Counter[int] = Counter()
    found = []
    for place, count in zip(*(each.tolist() for each in use.inputs.spans()), strict=True):
        unit = use.inputs.units[place]
        if unit != NO_UNIT:
            root = int(roots[unit])
            found.append(((use.path, seen[root], count), root, place))
            seen[root] += 1
    return found


def _name(traced: Traced, roots: Integers, units: Integers, makers: dict[int, str]) -> str:
    for layer, columns in traced.layers.items():
        if np.isin(units, roots[columns.units[columns.units != NO_UNIT]]).all():
            return layer
    first = makers[units.min()]
    return first.removeprefix("stages.") if traced.layers else first


def _pads(module: Any) -> bool:
    """Whether a map's inputs have zeros around them."""
    if not isinstance(module, CONVOLUTIONS) or module.padding_mode != "zeros":
        return False
    return module.padding == "same" if isinstance(module.padding, str) else any(module.padding)
