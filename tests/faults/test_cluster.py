"""The script of docs/cluster.md, on two nodes, one of which is lost in the middle."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from tests.helpers.machine import can_unshare
from tests.helpers.meeting import TOGETHER, trainers
from tests.helpers.promises import Promise
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import finished_files, rows_without_times, trained_in, wait_for_trials

ROOT = Path(__file__).parent.parent.parent
#: Two nodes with processes of their own: `ray stop` stops all that it sees. A lost node does not end the others.
SRUN = f"""\
#!/bin/bash
[ "$1" = --no-kill ] && shift
for node in 127.0.0.1 127.0.0.2; do
    unshare --map-root-user --pid --fork --kill-child --mount-proc {sys.executable} -m tests.faults.node $node "$@" &
    echo $! > $node.pid
done
wait $(cat 127.0.0.1.pid)
"""
SCONTROL = "#!/bin/bash\nprintf '127.0.0.1\\n127.0.0.2\\n'\n"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A folder with the script of the documentation, and programs that stand for SLURM's."""
    [_, after] = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8").split("## SLURM", 1)
    (tmp_path / "job.sh").write_text(after.split("```bash\n")[1].split("```")[0], encoding="utf-8")
    (tmp_path / "bin").mkdir()
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
        (tmp_path / "bin" / name).write_text(text, encoding="utf-8")
        (tmp_path / "bin" / name).chmod(stat.S_IRWXU)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    path = f"{tmp_path / 'bin'}:{Path(sys.executable).parent}"
    (tmp_path / ".venv" / "bin" / "activate").write_text(f"export PATH={path}:$PATH\n", encoding="utf-8")
    (tmp_path / "sweeps").mkdir()
    return tmp_path


@pytest.mark.timeout(600)
@pytest.mark.skipif(not can_unshare(), reason="needs the right to make name spaces for processes")
def test_a_node_is_lost_and_every_trial_is_done_once(job: Path, promise: Promise) -> None:
    folder, notes = job / "scratch", job / "notes"
    folder.mkdir()
    notes.mkdir()
    (notes / TOGETHER).touch()
    network = {"name": "tests.helpers.meeting:build", "folder": str(notes)}
    write_sweep(job / "sweeps" / "cifar_init.yaml", replicates=6, epochs=100, network=network)
    temporary = tempfile.mkdtemp(dir="/tmp")  # whose path is short enough for Ray's sockets
    slurm = {"SLURM_JOB_ID": str(os.getpid()), "SLURM_JOB_NODELIST": "node[1-2]", "SLURM_NNODES": "2"}
    environment = {**os.environ, **slurm, "SCRATCH": str(folder), "PYTHONPATH": str(ROOT), "RAY_TMPDIR": temporary}
    with (folder / "log").open("ab") as said:
        process = subprocess.Popen(
            ["bash", "job.sh"], cwd=job, stdout=said, stderr=said, env=environment, start_new_session=True
        )
    try:
        wait_for_trials(folder, 3, process)
        nodes = set(trainers(notes).values())
        os.kill(int((job / "127.0.0.2.pid").read_text()), signal.SIGKILL)
        before = finished_files(folder)
        code = process.wait(400)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(temporary, ignore_errors=True)
    log = (folder / "log").read_text()
    assert code == 0, log
    assert len(nodes) == 2, "trials ran on both nodes"
    assert len(before) < len(finished_files(folder)), "there was something left to do when the node was lost"
    now = finished_files(folder)
    assert {path: now.get(path) for path in before} == before, "what was finished has changed"
    names = trained_in(log)
    assert len(names) == len(set(names)) == 12
    rows = rows_without_times(folder / "results.db")
    assert len(rows["trials"]) == 12
    assert len(rows["measurements"]) == 24
    promise(
        "More than one machine: every trial is done once, also when a node is lost",
        "every trial once",
        f"{len(set(names))} of 12 trials, each once, on {len(nodes)} nodes, of which one was lost after "
        f"{len([path for path in before if path.name == 'result.json'])}",
    )
