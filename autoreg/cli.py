"""The command line: parse, call one function, print. Data goes to stdout, everything else to stderr."""

import sys
from pathlib import Path
from typing import Any

import click

from autoreg import __version__
from autoreg.cli_report import report
from autoreg.cli_results import (
    DATABASE,
    RUNS,
    export,
    list_,
    print_columns,
    print_text,
    query,
    rebuild,
    status,
    verify,
)
from autoreg.cli_show import show
from autoreg.errors import AutoregError, ConfigError, DataError, Interrupted, first_line


class _Commands(click.Group):
    """Answers an unknown command with the nearest."""

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if words and words[0] not in self.commands and not words[0].startswith("-"):
            from autoreg.registry import did_you_mean

            raise click.UsageError(f"unknown command {words[0]!r}{did_you_mean(words[0], self.commands)}")
        return super().resolve_command(context, words)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="autoreg")
def cli() -> None:
    """Sweeps over width that measure removable and repeated units of neural networks.

    \b
    autoreg sweep quickstart           train, tune, measure; no data needed
    autoreg report --all               draw every figure that has trials
    autoreg status                     how far the sweeps are
    """  # noqa: D301


@cli.command()
@click.argument("sweeps", nargs=-1, required=True, metavar="SWEEP...")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key: training.epochs=3.")
@click.option("--dry-run", is_flag=True, help="Say what would run, and run nothing.")
@DATABASE
@RUNS
@click.option("--address", help="Join a Ray cluster: auto, or host:port.")
@click.option("--retry-failed", is_flag=True, help="Train this sweep's failed trials again.")
@click.option("--yes", is_flag=True, help="Run it even if it asks for more than 10,000 trials.")
def sweep(
    sweeps: tuple[str, ...], overrides: tuple[str, ...], dry_run: bool, database: Path, runs: Path,
    address: str | None, retry_failed: bool, yes: bool,
) -> None:  # fmt: skip
    """Run sweeps one after another: YAML files, or names of packaged ones.

    What is done already, by this or another sweep, is not done again; interrupted, the same command goes on.

    \b
    autoreg sweep quickstart
    autoreg sweep sweeps/cifar_init.yaml --set training.epochs=3 --set grid.width=[1/4,1/2]
    autoreg sweep --dry-run sweeps/*.yaml       what they would run, shared trials counted once
    """  # noqa: D301
    from autoreg.packaged import find_sweep
    from autoreg.runs import Runs
    from autoreg.sweep_file import load_sweep
    from autoreg.tuning.plan import MANY_TRIALS, check_resources, check_size, count_trials, make_plan

    loaded = [load_sweep(find_sweep(name), overrides) for name in sweeps]
    for one in loaded:
        if not (dry_run or yes):
            check_size(one)
        if not (dry_run or address):
            check_resources(one)
    plans = [make_plan(one) for one in loaded]
    if dry_run:
        is_counted = yes or all(one.sweep.size <= MANY_TRIALS for one in loaded)  # else it takes time, and memory
        for plan in plans:
            _print_plan(plan, Runs(runs) if is_counted else None)
        if len(plans) > 1 and is_counted:
            finals, tuning = count_trials([plan.sweep for plan in plans])
            click.echo(
                f"all {len(plans)} sweeps: {finals} final trials, {tuning} tuning trials, shared ones counted once"
            )
        return
    codes = [_run(plan, Runs(runs), database, address, retry_failed) for plan in plans]
    if any(codes):
        sys.exit(AutoregError.exit_code)


def _run(plan: Any, runs: Any, database: Path, address: str | None, retry_failed: bool) -> bool:
    """Run a sweep, print how it ended, and return whether anything went wrong."""
    from autoreg.tuning.run import run_sweep

    def say(done: int) -> None:
        click.echo(f"{plan.sweep.name}: {_counts(plan, done)}", err=True)

    summary = run_sweep(plan, runs, database, address, retry_failed, begun=say)
    for line in summary.problems:
        print_text(line, err=True)
    if summary.unwritten:
        click.echo(
            f"{summary.unwritten} finished trials wait for {database}; run the command again to add them", err=True
        )
    if summary.interrupted:
        raise Interrupted("stopped; the same command goes on from here")
    failed = f", {len(summary.problems)} with problems" if summary.problems else ""
    click.echo(
        f"{summary.trained} trials trained, {summary.cached} were done before{failed}; rows in {database}", err=True
    )
    return bool(summary.problems or summary.unwritten)


def _counts(plan: Any, done: int | None) -> str:
    known = "with --yes also those already done" if done is None else f"{done} already done"
    return f"{plan.sweep.final_count} final trials, {plan.sweep.tuning_count} tuning trials, {known}"


def _print_plan(plan: Any, runs: Any) -> None:
    from autoreg.groups import setting_labels

    figures = f"figures {', '.join(plan.sweep.figures)}" if plan.sweep.figures else "no figure"
    click.echo(f"{plan.sweep.name} ({plan.sweep.sweep_id}), {figures}")
    rows = []
    groups = list(reversed(plan.groups))
    labels = setting_labels([group for group, _ in groups])
    for (group, parameters), label in zip(groups, labels, strict=True):
        tuning = f"{group.tune.trials} tuning" if group.tune else ""
        rows.append(["", label, f"{parameters:>11,} parameters", tuning, f"{group.final_count} final"])
    print_columns(rows)
    click.echo(_counts(plan, plan.schedule(runs).done_count() if runs else None))


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--name", default="my_sweep", show_default=True, help="The sweep's name, and its file's.")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    help="Your pictures, a folder for each class; else made-up data.",
)
@click.option("--size", type=click.IntRange(8, 1024), default=64, show_default=True, help="Side of the pictures.")
def init(folder: Path, name: str, pictures: Path | None, size: int) -> None:
    """Write a commented sweep and a network of your own to begin with, and a JSON Schema for your editor.

    \b
    autoreg init --pictures ~/pictures/pets
    autoreg sweep my_sweep.yaml && autoreg report --html
    """  # noqa: D301
    from autoreg.starter import write_starter

    paths = write_starter(folder, name, pictures, size)
    click.echo("\n".join(map(str, paths)))
    inside = "" if folder == Path() else f"cd {folder} && "
    click.echo(f"what it would run: {inside}autoreg sweep {paths[0].name} --dry-run", err=True)


@cli.command()
@click.argument("dataset", type=click.Choice(["cifar10"]))
@click.option("--root", type=click.Path(path_type=Path), required=True, help="The folder to put it in.")
def data(dataset: str, root: Path) -> None:
    """Fetch a dataset from its official site, for machines with a network."""
    from autoreg.datasets.cifar10_files import download

    download(root)
    click.echo(f"{dataset} is in {root}; use it with AUTOREG_DATA={root}", err=True)


for _command in (report, export, list_, query, rebuild, show, status, verify):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; errors of ours are one line on stderr and an exit code."""
    try:
        cli.main(prog_name="autoreg", standalone_mode=False)
    except AutoregError as error:
        print_text("\n".join(f"autoreg: {line}" for line in str(error).split("\n")), err=True)
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a folder that may not be written: wherever it shows
        print_text(f"autoreg: {first_line(error)}", err=True)
        sys.exit(DataError.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(ConfigError.exit_code)
    except click.ClickException as error:
        where = f"; see `{error.ctx.command_path} --help`" if isinstance(error, click.UsageError) and error.ctx else ""
        print_text(f"autoreg: {' '.join(error.format_message().split()).rstrip('.')}{where}", err=True)
        sys.exit(ConfigError.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("autoreg: stopped at once; the same command goes on from the last saved states", err=True)
        sys.exit(Interrupted.exit_code)
