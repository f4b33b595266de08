"""Whatever is wrong with what a user gives: one clear line, the right exit code, nothing written."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from autoreg.cli.main import main
from autoreg.config.sweep_file import load_sweep
from autoreg.database.writer import rebuild
from autoreg.datasets.images import cifar10_files
from autoreg.orchestrator.plan import make_plan
from autoreg.runs.folder import Runs
from tests.faults.bad_data import DATA, Prepare, nothing
from tests.helpers.promises import Promise
from tests.helpers.small_sweep import SWEEP, TUNE


def text(content: str | bytes) -> Prepare:
    """A sweep file with this content."""
    whole = content if isinstance(content, bytes) else content.encode()
    return lambda folder: (folder / "small.yaml").write_bytes(whole)


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def refused(
    arguments: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """Run the command in the folder; return its exit code and its one line."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["autoreg", *arguments])
    before = tree(folder)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith("autoreg: ")
    assert tree(folder) == before, "something was written"
    assert isinstance(ended.value.code, int)
    return ended.value.code, line


YAML: dict[str, tuple[str | bytes, str]] = {
    "an empty file": ("", "small.yaml: a sweep is a mapping of keys to values, got NoneType"),
    "a list": ("- a\n- b", "a sweep is a mapping of keys to values"),
    "only text": ("just text", "a sweep is a mapping of keys to values"),
    "a binary file": (bytes(range(256)), "small.yaml: cannot be read: 'utf-8' codec"),
    "text in another encoding": ("name: größe".encode("latin-1"), "small.yaml: cannot be read: 'utf-8' codec"),
    "a null byte": ("name: a\0b", "special characters are not allowed"),
    "tabs": ("grid:\n\twidth: [1]", "small.yaml:2: not valid YAML"),
    "a bracket that is not closed": ("grid: [1", "small.yaml:1: not valid YAML"),
    "two documents": (SWEEP + "---\n" + SWEEP, "found another document"),
    "a tag of Python": ("name: !!python/object/apply:os.system [ls]", "tags are not allowed"),
    "a tag of one's own": ("name: !secret x", "tags are not allowed"),
    "an alias bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "anchors and aliases are not allowed, got 'a'"),
    "a merge key": (SWEEP + "<<: {name: other}", "unknown key '<<'"),
    "a key that stands twice": (SWEEP + "name: again", "small.yaml:7: name: the key stands here a second time"),
    "a key that is a list": ("? [a]\n: 1", "a key must be plain text"),
    "very deep nesting": ("a: " + "[" * 5000 + "]" * 5000, "nested too deeply"),
    "a huge number": (
        SWEEP.replace("epochs: 2", "epochs: " + "9" * 5000),
        "training.epochs: should be a valid integer, got '999",
    ),
    "no name": (SWEEP.replace("name: small\n", ""), "name: this key is required"),
    "no training": (SWEEP.split("training")[0], "training: this key is required"),
}

OVERRIDES: dict[str, tuple[list[str], str]] = {
    "an unknown key": (["training.epoch=1"], "unknown key 'epoch'; did you mean 'epochs'?"),
    "an unknown section": (["grids.width=[1]"], "unknown key 'grids'; did you mean 'grid'?"),
    "an unknown axis": (["grid.depth=[1]"], "unknown key 'depth'"),
    "an unknown network": (["network=mpl"], "did you mean 'mlp'?"),
    "an unknown dataset": (["dataset=cifar"], "did you mean 'cifar10'?"),
    "an unknown initializer": (["initializer=he"], "unknown initializer 'he'"),
    "an unknown optimizer": (["training.optimizer=adm"], "did you mean 'adam'?"),
    "an unknown schedule": (["training.schedule=steps"], "did you mean 'step'?"),
    "an unknown metric": (["measure.metrics={ablations: {}}"], "did you mean 'ablation'?"),
    "an unknown option": (["network.hiden=3"], "did you mean 'hidden'?"),
    "an unknown split": (["measure.splits=[tset]"], "got 'tset'"),
    "an unknown regularizer": (["grid.regularizer=[l1]"], "got 'l1'"),
    "an unknown figure": (["figures=[99]"], "unknown figure '99' (allowed: 1a, 1b,"),
    "a text for a number": (["training.epochs=ten"], "should be a valid integer, got 'ten'"),
    "a number for a text": (["name=5"], "name: should be a valid string, got 5"),
    "a number for a list": (["grid.width=1"], "should be a valid list, got 1"),
    "a mapping for an option": (["dataset.dimensions={a: 1}"], "an option is a number, a text"),
    "no for false": (["training.shuffle=no"], "should be a valid boolean, got 'no'"),
    "not a number": (["training.learning_rate=.nan"], "should be a valid number, got '.nan'"),
    "infinity": (["training.learning_rate=.inf"], "should be a valid number, got '.inf'"),
    "a number too large for a float": (["training.learning_rate=1e999"], "finite number"),
    "an empty list of widths": (["grid.width=[]"], "at least 1 item"),
    "an empty list of splits": (["measure.splits=[]"], "at least 1 item"),
    "no metric": (["measure.metrics={}"], "at least 1 item"),
    "a width that stands twice": (["grid.width=[1/4, 0.25]"], "each value of a list stands once, 0.25 stands twice"),
    "an initializer that stands twice": (
        ["grid.initializer=[he_normal, {name: he_normal}]"], "each value of a list stands once"),
    "a width of zero": (["grid.width=[0]"], "greater than 0, got 0"),
    "a width below zero": (["grid.width=[-1]"], "greater than 0, got -1"),
    "a width that is no fraction": (["grid.width=[1/0]"], "a factor is a positive number such as 1/4"),
    "a width of two words": (["grid.width=[1 1/2]"], "a factor is a positive number such as 1/4"),
    "a key that looks like one of ours": (["options=1"], "options: unknown key 'options'"),
    "such a key in a section": (["training.options=1"], "training.options: unknown key 'options'"),
    "a text that is half a character": (['name="\\ud800"'], "a text must be Unicode, got '\\ud800'"),
    "a width that gives no unit": (["grid.width=[1/1000]"], "width"),
    "a width that no machine can hold": (["grid.width=[2000]"], "less than or equal to 1024, got 2000"),
    "a learning rate of zero": (["training.learning_rate=0"], "greater than 0, got 0"),
    "a negative learning rate": (["training.learning_rate=-0.1"], "greater than 0, got -0.1"),
    "a batch of nothing": (["training.batch_size=0"], "greater than or equal to 1, got 0"),
    "a batch larger than the data": (["training.batch_size=201"], "a batch must not be larger than the training set"),
    "a batch that its factor makes too large": (["grid.lr_batch_factor=[1, 100]"], "a batch must not be larger"),
    "negative epochs": (["training.epochs=-1"], "greater than or equal to 0, got -1"),
    "a dropout of one": (["training.dropout=1"], "less than 1, got 1"),
    "augmentation where there is none": (["training.augmentation=true"], "has no augmentation"),
    "one fraction only": (["measure.metrics.ablation.fractions=1"], "greater than or equal to 2, got 1"),
    "half a fraction": (["measure.metrics.ablation.fractions=2.5"], "should be a valid integer, got 2.5"),
    "no sample": (["measure.metrics.ablation.samples=0"], "greater than or equal to 1, got 0"),
    "a threshold of one": (["measure.metrics.similarity.threshold=1.0"], "less than 1, got 1.0"),
    "a threshold of zero": (["measure.metrics.similarity.threshold=0.0"], "greater than 0, got 0.0"),
    "a range upside down": ([TUNE, "tune.space.learning_rate.low=2"], "low must be below high, got low 2.0"),
    "a search for nothing": ([TUNE, "tune.space={}"], "tune.space must name learning_rate, batch_size or both"),
    "a search without trials": ([TUNE, "tune.trials=0"], "greater than or equal to 1, got 0"),
    "a rate outside its search": ([TUNE, "training.learning_rate=5"], "must lie in tune.space"),
    "a longest trial that is not": (["grid.epochs=[1, 5]"], "must be the largest of grid.epochs, 5, got 2"),
    "more than one GPU": (["resources.gpu={4: 2}"], "less than or equal to 1, got 2"),
    "a share of a GPU for no width": (["resources.gpu={wide: 1}"], "a factor is a positive number"),
    "more cores than there are": (["resources.cpus=100000"], f"this machine has {os.cpu_count()}, got 100000"),
    "a time limit of nothing": (["resources.time_limit_hours=0"], "greater than 0, got 0"),
    "a time limit beyond any clock": (["resources.time_limit_hours=1e300"], "less than or equal to 1000000, got"),
    "a name with a slash": (["name=a/b"], "name: must be small letters, digits and underscores"),
    "a name that leaves the folder": (["name=.."], "name: must be small letters, digits and underscores"),
    "a name with a control character": (["name=\"a\\eb\""], "name: must be small letters, digits and underscores"),
    "a name that is too long": (["name=" + "a" * 101], "at most 100 characters"),
    "a module that Python cannot import": (
        ["network.name=my-net:bn"], "digits and underscores, or module:function of your own"
    ),
    "code for a name": (["network.name=os.system('x')"], "must be a name of letters, digits and underscores"),
    "a network that is not there": (["network=nowhere:build"], "network 'nowhere:build' cannot be imported"),
    "a network that is none": (["network=autoreg.cli.main:main"], "must be a function (width, input_shape,"),
    "a command for a dataset": (["dataset={name: os:system, root: ls}"], "'os' is a module of Python itself"),
    "labels of another kind": (
        ["dataset=tests.helpers.unfit:labelled"], "train: labels must be int64, [examples], got torch.int32, (20,)"),
    "a network that wants images": (["network=alexnet"], "it needs images: channels, height and width"),
    "a grid of many trials": (["replicates=5001"], "asks for 10,002 trials; --yes runs more than 10,000"),
    "a grid of a thousand million trials": (["replicates=500000000"], "asks for 1,000,000,000 trials; --yes runs"),
    "no replicates for a search": (["replicates=0", TUNE], "tune must be null beside replicates: 0"),
    "variants of one name at one width": (
        ["variants=[{name: a}, {name: a, training: {epochs: 3}}]"], "which a figure would average"),
    "an override without a value": (["epochs"], "--set wants key=value, got 'epochs'"),
    "an override below a number": (["replicates.more=1"], "replicates is not a mapping"),
    "an image folder outside the data": (
        ["dataset={name: imagenet, root: ., folder: ../.., train_size: 1, validation_size: 1}"],
        "option 'folder' of dataset 'imagenet' should be a folder below the data root, without '..', got '../..'"),
}  # fmt: skip


COMMANDS: dict[str, tuple[list[str], int, str]] = {
    "an unknown command": (["swep"], 2, "No such command 'swep'. Did you mean 'sweep'?"),
    "an unknown option": (["report", "--fgure", "6"], 2, "Did you mean '--figure'?; see `autoreg report --help`"),
    "no sweep": (["sweep"], 2, "Missing argument 'SWEEP...'; see `autoreg sweep --help`"),
    "a sweep that is not there": (["sweep", "nowhere.yaml"], 2, "no sweep file 'nowhere.yaml'"),
    "a packaged sweep misspelt": (["sweep", "quickstrat"], 2, "did you mean 'quickstart'?"),
    "a name of a sweep that no file can have": (["sweep", "x" * 5000], 2, "no sweep file 'xxx"),
    "a name of a figure that no file can have": (
        ["report", "--figure", "x" * 5000 + ".sql"], 2, "xx… (5006 characters)"),
    "a folder for a sweep": (["sweep", "folder"], 2, "no sweep file 'folder'"),
    "one name for two sweeps": (
        ["sweep", "quickstart", "mlp_optimizers", "--set", "name=mine"], 2, "two of these sweeps are named 'mine'"),
    "a file for the run folder": (["sweep", "small.yaml", "--runs", "file"], 3, "cannot be written"),
    "a folder for results.db": (["sweep", "small.yaml", "--db", "folder"], 4, "folder is not a file"),
    "a name that DuckDB would cut": (["sweep", "small.yaml", "--db", "a?b.db"], 2, "UTF-8 and without '?', got '/"),
    "a name of a database that is no UTF-8": (["sweep", "small.yaml", "--db", "\udcff.db"], 2, "udcff.db'"),
    "another such name": (["status", "--db", "\udcff.db"], 2, "the path of a database is UTF-8 and without '?'"),
    "a run folder that is no UTF-8": (["sweep", "small.yaml", "--runs", "\udcff"], 2, "the run folder is UTF-8, got"),
    "a URL for the run folder": (
        ["sweep", "small.yaml", "--runs", "s3://bucket/x"], 2, "--runs is a path on this machine, got a URL"),
    "a URL for results.db": (["status", "--db", "gs://bucket/r.db"], 2, "--db is a path on this machine, got a URL"),
    "an address that is none": (["sweep", "small.yaml", "--address", "nonsense"], 2, "an address is auto or host:port"),
    "an unknown kind of list": (["list", "nothing"], 2, "'KIND': unknown 'nothing' (allowed: datasets, figures,"),
    "nothing to report": (["report"], 2, "say what to make: --figure NAME, --table NAME"),
    "a comparison without results": (["report", "--compare"], 3, "results.db does not exist"),
    "a file for the reports": (
        ["report", "--figure", "B5", "--db", "begun.db", "--out", "file"], 2, "Directory 'file' is a file"),
    "a definition for tables": (
        ["report", "--table", "verdicts", "--definition", "text"], 2, "--definition is for figures and the page"),
    "an unknown figure": (["report", "--figure", "99"], 2, "unknown figure '99' (allowed: 1a, 1b, 1c, 2, 3, 4,"),
    "a figure without any trial": (
        ["report", "--figure", "6", "--db", "begun.db"], 3,
        "results.db has no sweep that feeds it; run: autoreg sweep sweeps/cifar_init.yaml"),
    "a figure without a measured trial": (
        ["report", "--figure", "B5", "--db", "begun.db"], 3,
        "figure B5 has no measured trial yet in begun.db; missing: mlp 1/4x glorot_normal: 2000000000 of "
        "2000000000 trials (2000000000 not run); mlp 1/2x"),
    "a figure of a sweep without it": (
        ["report", "--figure", "B5", "--sweep", "smal", "--db", "begun.db"], 2,
        "no sweep 'smal' feeds figure B5 (those in results.db that do: small)"),
    "a table without a row": (["report", "--table", "1", "--db", "begun.db"], 3, "table 1 has no row yet in begun.db"),
    "a query with a mistake": (["query", "selct 1", "--db", "begun.db"], 2, "a query failed: "),
    "a query that writes": (["query", "delete from sweeps", "--db", "begun.db"], 2, "a query failed: "),
    "an unknown table": (["report", "--table", "99"], 2, "'--table': unknown '99' (allowed: 1, capacity, claims,"),
    "an unknown definition": (["report", "--all", "--definition", "mine"], 2, "'--definition': unknown 'mine' ("),
    "a figure file that is not there": (["report", "--figure", "my/absent.sql"], 2, "no figure file 'my/absent.sql'"),
    "a report without results": (["report", "--figure", "6"], 3, "results.db does not exist; a sweep makes it"),
    "a status without results": (["status"], 3, "results.db does not exist"),
    "a status of something else": (["status", "--db", "file"], 4, "autoreg rebuild"),
    "a query without results": (["query", "select 1"], 3, "results.db does not exist"),
    "a verification without results": (["verify", "--runs", "folder"], 3, "results.db does not exist"),
    "a verification without runs": (["verify"], 3, "the run folder runs does not exist"),
    "a rebuild over a file of the user's": (
        ["rebuild", "--db", "small.yaml", "--runs", "folder"], 4, "small.yaml is no database, and would be lost"),
    "a rebuild without runs": (["rebuild"], 3, "the run folder runs does not exist"),
    "a trial that is not there": (["show", "abc", "--runs", "folder"], 2, "no trial 'abc' in"),
    "a narrower network into no folder": (
        ["compress", "abc", "--out", "file/x.pt"], 2, "file/x.pt is in no folder; make file first"),
    "a sweep written below a file": (["init", "file/sub"], 3, "cannot be read or written: Not a directory"),
    "a file for the data folder": (["data", "cifar10", "--root", "file"], 3, "could not be fetched: [Errno 17]"),
    "data that cannot be fetched": (["data", "imagenet", "--root", "data"], 2, "'DATASET': unknown 'imagenet' ("),
}  # fmt: skip


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results.db of a sweep that has no trial yet, of as many as a file can ask for."""
    folder = tmp_path_factory.mktemp("begun")
    (folder / "small.yaml").write_text(SWEEP)
    runs = Runs(folder / "runs")
    runs.write_sweep(make_plan(load_sweep(folder / "small.yaml", ["figures=[B5]", "replicates=2000000000"])).record([]))
    rebuild(folder / "begun.db", runs)
    return folder / "begun.db"


def cases() -> list[Any]:
    made = [
        pytest.param(text(content), ["sweep", "small.yaml"], 2, message, id=f"yaml: {name}")
        for name, (content, message) in YAML.items()
    ]
    for kind, table in (("key", [(name, nothing, *rest) for name, rest in OVERRIDES.items()]),
                        ("data", [(name, *rest) for name, rest in DATA.items()])):  # fmt: skip
        for name, prepare, sets, message in table:
            code = 3 if kind == "data" else 2
            words = [word for override in sets for word in ("--set", override)]
            made.append(pytest.param(prepare, ["sweep", "small.yaml", *words], code, message, id=f"{kind}: {name}"))
    for name, (arguments, code, message) in COMMANDS.items():
        made.append(pytest.param(nothing, arguments, code, message, id=f"command: {name}"))
    return made


@pytest.mark.parametrize(("prepare", "arguments", "code", "message"), cases())
def test_bad_input_is_one_clear_line_and_nothing_is_written(
    prepare: Prepare, arguments: list[str], code: int, message: str, begun: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.delenv("AUTOREG_DATA", raising=False)
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cifar10_files, "COUNTS", {"train": 20, "test": 20})
    work = tmp_path / "work"
    (work / "folder").mkdir(parents=True)
    (work / "file").write_text("no database")
    (work / "begun.db").write_bytes(begun.read_bytes())
    (work / "small.yaml").write_text(SWEEP)
    prepare(work)
    ended, line = refused(arguments, work, monkeypatch, capsys)
    assert (ended, message in line) == (code, True), line


def test_the_table_is_a_long_one(promise: Promise) -> None:
    count = len(cases())
    promise(
        "Bad input is one clear line, the right exit code, and writes nothing", "60 cases or more", f"{count} cases"
    )
    assert count >= 60
