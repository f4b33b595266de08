"""An installed autoreg works from any folder: its sweeps and its SQL travel in the wheel."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_works_from_an_empty_folder(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    names = {
        path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*") if path.is_file()
    }
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "analysis_sql").glob("*/*.sql")} <= {
        name.removeprefix("autoreg/") for name in names
    }
    assert {"autoreg/py.typed", "autoreg/database/schema.sql", "autoreg/sweeps/quickstart.yaml"} <= names
    assert {"autoreg/metrics/ablation.sql", "autoreg/metrics/similarity.sql", "autoreg/reference/tables.sql"} <= names
    (tmp_path / "empty").mkdir()
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "autoreg", "plan", "quickstart", "--no-calibration"],
        capture_output=True, text=True, cwd=tmp_path / "empty",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
    )  # fmt: skip
    assert "12 final trials, 36 tuning trials, 0 already done\n" in ended.stdout, ended.stderr
    where = subprocess.run(
        [sys.executable, "-P", "-c", "import autoreg; print(autoreg.__file__)"],
        capture_output=True, text=True, check=True, cwd=tmp_path / "empty",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
    )  # fmt: skip
    assert where.stdout.strip() == str(tmp_path / "site" / "autoreg" / "__init__.py")
