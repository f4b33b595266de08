"""How cost grows: seconds and memory against the width of AlexNet and against the number of trials, as a figure.

python -m benchmarks.growth FOLDER
"""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autoreg.metrics.ablation import ablation
from autoreg.metrics.similarity import similarity
from autoreg.training.epoch import train_epoch
from autoreg.training.state import TrialState
from benchmarks.generate_trials import generate
from benchmarks.resume import measure
from benchmarks.rows import seconds_of
from benchmarks.training import config_of, random_images

WIDTHS = [0.25, 0.5, 1.0, 2.0, 4.0]
TRIALS = [200, 1_000, 5_000]
IMAGES = 128


def cost_of_width(width: float) -> dict[str, float]:
    """Return milliseconds an image of training and measuring AlexNet, and the largest resident set in MB."""
    torch.set_num_threads(2)
    config, dataset = config_of("alexnet", width), random_images(IMAGES, "cpu")
    state = TrialState.fresh(config, dataset)
    train_epoch(config, dataset, state)
    training = seconds_of(lambda: train_epoch(config, dataset, state))
    network = state.network.eval()
    measuring = seconds_of(lambda: (ablation(network, dataset, "train", 0), similarity(network, dataset, "train", 0)))
    return {
        "width": width,
        "training": training / IMAGES * 1e3,
        "measuring": measuring / IMAGES * 1e3,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def cost_of_trials(trials: int) -> dict[str, float]:
    """Return what it takes to bring so many trials in, and to start a sweep that has them."""
    with tempfile.TemporaryDirectory() as name:
        generate(Path(name), trials)
        return measure(Path(name))


def in_a_process(*words: Any) -> dict[str, float]:
    """Return what this program says of one width or number, in a process of its own for the sake of its memory."""
    whole = [sys.executable, "-m", "benchmarks.growth", *map(str, words)]
    made: dict[str, float] = json.loads(subprocess.run(whole, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return made


def draw(widths: pl.DataFrame, trials: pl.DataFrame) -> Figure:
    """Return four panels: seconds, on logarithmic axes, and memory, from 0; by width and by trials."""
    figure = Figure(figsize=(8, 5.6), layout="constrained")
    panels = figure.subplots(2, 2)

    def panel(axes: Axes, frame: pl.DataFrame, columns: dict[str, str], unit: str, is_memory: bool) -> None:
        x = frame.columns[0]
        for column, label in columns.items():
            values = frame[column] / 1e3 if is_memory else frame[column]
            axes.plot(frame[x], values, marker="o", label=label)
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.set_xticks(frame[x].to_list(), [f"{value:,g}{'×' if x == 'width' else ''}" for value in frame[x]])
        axes.set_xlabel("width of AlexNet" if x == "width" else "trials")
        axes.set_ylabel(unit)
        axes.grid(alpha=0.3)
        if is_memory:
            axes.set_ylim(0, 1.1 * axes.get_ylim()[1])
        else:
            axes.set_yscale("log")
            axes.legend(frameon=False, loc="lower right")

    training = {"training": "training, one epoch", "measuring": "measuring"}
    starting = {"ingest_seconds": "into results.db", "resume_seconds": "starting their sweep"}
    panel(panels[0, 0], widths, training, "ms an image", is_memory=False)
    panel(panels[0, 1], widths, {"memory_mb": ""}, "GB, largest resident set", is_memory=True)
    panel(panels[1, 0], trials, starting, "seconds", is_memory=False)
    panel(panels[1, 1], trials, {"memory_mb": ""}, "GB, the driver's", is_memory=True)
    return figure


def main(folder: Path) -> None:
    """Measure, and write the figure and its numbers."""
    widths = pl.DataFrame([in_a_process("width", width) for width in WIDTHS])
    trials = pl.DataFrame([in_a_process("trials", count) for count in TRIALS])
    folder.mkdir(parents=True, exist_ok=True)
    widths.write_csv(folder / "growth_by_width.csv")
    trials.write_csv(folder / "growth_by_trials.csv")
    draw(widths, trials).savefig(folder / "growth.png", dpi=150)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        cost = cost_of_width(float(sys.argv[2])) if sys.argv[1] == "width" else cost_of_trials(int(sys.argv[2]))
        print(json.dumps(cost))
    else:
        main(Path(sys.argv[1]))
