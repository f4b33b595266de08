"""How surgeries look, wherever they are drawn."""

from typing import Any

from autoreg.report.figures.style import COLOURS, GREY, MARKERS

#: In the order of what they may do, the random order of the paper first.
SURGERIES = ("random", "drop", "merge", "either", "rebuild")
LOOKS: dict[str, dict[str, Any]] = {
    name: {"color": GREY if name == "random" else colour, "marker": marker, "label": name}
    for name, colour, marker in zip(SURGERIES, ["", *COLOURS], MARKERS, strict=False)
}
