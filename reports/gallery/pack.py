"""Pack what an entry of the gallery is made from: `python reports/gallery/pack.py RUNS ENTRY SWEEP…`.

It takes the sweeps' records, and of their final trials in the run folder settings, results and measurements: all that
`autoreg rebuild` reads, and no weights. The same files give the same archive.
"""

import sys
import tarfile
from itertools import chain
from pathlib import Path

from autoreg.runs.folder import Runs


def files_of(runs: Runs, sweep: str) -> set[Path]:
    """Return the files of the latest sweep of that name."""
    records = [runs.read_sweep(path.stem) for path in runs.sweeps.glob("*.json")]
    named = sorted((each for each in records if each.name == sweep), key=lambda each: each.updated_at)
    if not named:
        sys.exit(f"{runs.root} has no sweep {sweep!r}, only {', '.join(sorted({each.name for each in records}))}")
    finals = [runs.trial(trial.trial_id) for trial in named[-1].sweep_trials if trial.kind == "final"]
    trained = [folder for folder in finals if folder.is_trained]
    own = ((folder.config_path, folder.result_path, *folder.measurement_paths()) for folder in trained)
    return {runs.sweep_path(named[-1].sweep_id), *chain(*own)}


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return a file of nobody and of no time."""
    member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode = 0, 0, 0, "", "", 0o644
    return member


if __name__ == "__main__":
    folder, entry, *sweeps = sys.argv[1:]
    runs = Runs(Path(folder))
    files = sorted(set().union(*(files_of(runs, sweep) for sweep in sweeps)))
    with tarfile.open(Path(__file__).parent / entry / "runs.tar.xz", "w:xz", preset=9) as archive:
        for path in files:
            archive.add(path, path.relative_to(runs.root), filter=anonymous)
