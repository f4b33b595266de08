"""`autoreg compress`: a trained network without the units that its labels do not need, in a file."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoreg.cli import completion
from autoreg.cli.help import OneOf
from autoreg.cli.options import JSON, RUNS, print_columns, print_json, print_text
from autoreg.errors import ConfigError

if TYPE_CHECKING:
    from autoreg.surgery.small import Small


@click.command()
@click.argument("trial", shell_complete=completion.trials)
@click.option(
    "--unchanged", type=float, default=0.99, show_default=True,
    help="Share of the labels that is to stay, above 0 and up to 1.",
)  # fmt: skip
@click.option(
    "--surgery", default="rebuild", show_default=True,
    help="What is done about a unit that goes: drop, merge, either, rebuild.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@click.option(
    "--export", "program", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.pt2",
    help="Also a program for torch.export.load, which needs no code.",
)  # fmt: skip
@click.option(
    "--examples", type=click.IntRange(2), default=10_000, show_default=True,
    help="How many of each split are looked at, at most.",
)  # fmt: skip
@click.option("--device", type=OneOf(["cpu", "cuda"]), default="cpu", show_default=True, help="Where it is computed.")
@RUNS
@JSON
def compress(
    trial: str, unchanged: float, surgery: str, out: Path, program: Path | None, examples: int, device: str,
    runs: Path, as_json: bool,
) -> None:  # fmt: skip
    """Take the units out of a trained network that its labels do not need, and write the narrower one to a file.

    \b
    autoreg compress 3f2a --out small.pt
    autoreg compress 3f2a --unchanged 0.95 --out small.pt --export small.pt2

    The training split says which units go, validation how far, and the test split what has become of the labels. In
    Python, autoreg.narrow(network, "small.pt") brings a fresh network to the narrower one.
    """  # noqa: D301
    from autoreg.runs.folder import Runs
    from autoreg.surgery.compress import compress_trial

    if out == program:
        raise ConfigError(f"--out and --export are two files, got {out} for both")
    for path in (out, program):
        if path is not None and path.exists():
            raise ConfigError(f"{path} is there already; name another file, or remove it")
        if path is not None and not path.absolute().parent.is_dir():
            raise ConfigError(f"{path} is in no folder; make {path.parent} first, or name another file")
    if device == "cuda":
        from torch import cuda

        if not cuda.is_available():
            raise ConfigError("--device cuda needs a GPU that PyTorch can use, and there is none")
    with redirect_stdout(sys.stderr):  # what a user's module prints is none of the data
        small = compress_trial(
            Runs(runs).find(trial), unchanged=unchanged, surgery=surgery, examples=examples, device=device,
            say=lambda line: print_text(line, err=True),
        )  # fmt: skip
        seconds = small.seconds
        if program is not None:
            small.export(program)
        small.save(out)
    if as_json:
        print_json({**small.summary(), "seconds": seconds, "batch": small.batch})
        return
    _print(small)
    print_text(f"{out}: {out.stat().st_size:,} bytes", err=True)


def _print(small: "Small") -> None:
    columns = [name for name in small.layers.columns if name != "whole"]
    whole = [f"{row['layer']} is left whole: {row['whole']}" for row in small.layers.to_dicts() if row["whole"]]
    print_columns([columns, *([str(row[name]) for name in columns] for row in small.layers.to_dicts())])
    print_text("\n".join(["", *whole]))
    pairs = {"parameters": small.parameters, "FLOPs": small.flops}
    rows = [[name, *(f"{value:,}" for value in pair)] for name, pair in pairs.items()]
    rows.append([f"ms a batch of {small.batch}", *(f"{1000 * value:.3g}" for value in small.seconds)])
    rows += [["accuracy", *(f"{value:.2%}" for value in small.accuracy)]] if small.accuracy else []
    rows += [["width", f"{small.width:g}", f"{small.compressed_width:.3g}"]]
    print_columns([["", "before", "after"], *rows])
    print_text(
        f"\n{small.unchanged:.2%} of {small.examples:,} labels unchanged; at least {small.bound:.2%} of such examples, "
        "with 95 % confidence"
    )
