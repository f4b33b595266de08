"""A sweep on a cluster of two nodes, one of which is lost in the middle."""

from pathlib import Path

import pytest

from tests.faults.cluster import two_nodes
from tests.helpers.meeting import TOGETHER, trainers
from tests.helpers.promises import Promise
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import finished_files, rows_without_times, start, trained_in, wait_for_trials


@pytest.mark.timeout(600)
def test_a_node_is_lost_and_every_trial_is_done_once(tmp_path: Path, promise: Promise) -> None:
    folder, notes = tmp_path / "sweep", tmp_path / "notes"
    notes.mkdir()
    (notes / TOGETHER).touch()
    network = {"name": "tests.helpers.meeting:build", "folder": str(notes)}
    file = write_sweep(tmp_path / "cluster.yaml", replicates=8, epochs=200, network=network)
    with two_nodes() as cluster:
        process = start(file, folder, "--address", cluster.address)
        wait_for_trials(folder, 4, process)
        nodes = set(trainers(notes).values())
        cluster.take_a_node_away()
        before = finished_files(folder)
        code = process.wait(400)
    log = (folder / "log").read_text()
    assert code == 0, log
    assert len(nodes) == 2, "trials ran on both nodes"
    assert len(before) < len(finished_files(folder)), "there was something left to do when the node was lost"
    now = finished_files(folder)
    assert {path: now.get(path) for path in before} == before, "what was finished has changed"
    names = trained_in(log)
    assert len(names) == len(set(names)) == 16
    rows = rows_without_times(folder / "results.db")
    assert len(rows["trials"]) == 16
    assert len(rows["measurements"]) == 32
    promise(
        "More than one machine: every trial is done once, also when a node is lost",
        "every trial once",
        f"{len(set(names))} of 16 trials, each once, on {len(nodes)} nodes, of which one was lost after "
        f"{len([path for path in before if path.name == 'result.json'])}",
    )
