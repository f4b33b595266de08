"""The documentation is true: its links lead somewhere, its commands are commands, its code runs."""

import ast
import importlib.util
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import autoreg
from autoreg.cli.main import cli
from autoreg.config.sweep_file import load_sweep
from autoreg.errors import ConfigError
from autoreg.report.results import Results
from tests.helpers.command_line import autoreg as command

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("reports/**/*.md"), *ROOT.glob("reference/*.md")]
)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [block.split("```")[0] for block in text.split(f"```{language}\n")[1:]]


def prose(page: Path) -> list[str]:
    """Return the lines of a page that are no code, table or image."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [line for line in text.splitlines() if not line.startswith(("    ", "|", "!["))]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_line_of_prose_is_longer_than_120_characters(page: Path) -> None:
    assert [line for line in prose(page) if len(line) > 120] == []


def test_the_readme_has_at_most_200_lines() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_site_has_every_page_and_asks_no_other_machine(page: Path, site: Path) -> None:
    html = (site / page.relative_to(ROOT)).with_suffix(".html")
    text = (html.with_name("index.html") if page.name == "README.md" else html).read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|img|iframe)[^>]* src=.?(?:https?:)?//|<link[^>]* href=.?(?:https?:)?//", text)


def test_the_site_can_be_searched_and_shows_the_stored_outputs_of_the_notebook(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert {"docs/tour.html", "docs/metrics.html"} <= {entry["location"] for entry in index["docs"]}
    tour = (site / "docs" / "tour.html").read_text(encoding="utf-8")
    assert tour.count('src="data:image/png;base64,') == 2
    assert "Summary(trained=12" in tour


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), target


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the words of every call of autoreg in indented lines and in fences of bash, also behind `&&`."""
    fences = "\n".join(re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    lines = re.findall(r"^ {4}(\S.*)$", text.replace("\\\n", " "), re.MULTILINE) + fences.splitlines()
    for line in lines:
        for part in re.split(r"&&|\|\|", line.partition(" # ")[0]):
            called = re.match(r"\s*(?:[A-Z_]+=\S+ )*autoreg (.+)", part.replace("…", ""))
            if called:
                words = shlex.split(called[1])
                ends = [place for place, word in enumerate(words) if word in {"|", ">", "&"}]
                yield words[: ends[0]] if ends else words


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_line_is_one_that_autoreg_takes(page: Path) -> None:
    for words in command_lines(page.read_text(encoding="utf-8")):
        if words != ["--version"]:
            cli.commands[words[0]].make_context(words[0], words[1:])


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("sweeps/*.yaml")], ids=name_of)
def test_what_a_shell_would_read_as_a_pattern_is_quoted(page: Path) -> None:
    assert re.findall(r"--set [^\s\"'`]*[\[{*?]\S*", page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_in_a_sentence_is_one(page: Path) -> None:
    for span in re.findall(r"`autoreg ([a-z][^`]*)`", page.read_text(encoding="utf-8")):
        for call in span.split(" && autoreg "):
            name, *words = re.split(r"[ ;]+", call)
            known = {flag for parameter in cli.commands[name].params for flag in parameter.opts} | {"--help"}
            assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, span


def maker_of(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"{name}_page", ROOT / "docs" / f"{name}_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["database", "commands", "claims"])
def test_a_page_that_is_made_is_up_to_date(name: str) -> None:
    made = maker_of(name).page()
    assert (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") == made, "run `make docs`"
    assert "| column |  |" not in made


@pytest.mark.parametrize("name", ["googlenet", "shufflenet_v2_x0_5", "mobilenet_v2", "swin_t"])
def test_the_table_of_models_has_what_is_found_in_them(name: str) -> None:
    text, maker = (ROOT / "docs" / "models.md").read_text(encoding="utf-8"), maker_of("models")
    assert f"\n{maker.row(name)}\n" in text, "run `python docs/models_page.py`"
    rows = text.removeprefix(maker.HEAD).splitlines()
    assert [row.split(" | ")[0] for row in rows] == [f"| {name}" for name in maker.MODELS]


@pytest.mark.parametrize("page", [page for page in PAGES if "```python" in page.read_text("utf-8")], ids=name_of)
@pytest.mark.usefixtures("forks")
def test_every_block_of_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    names: dict[str, Any] = {"model": model, "inputs": torch.randn(20, 3), "labels": torch.zeros(20, dtype=torch.int64)}
    for block in blocks(name_of(page), "python"):
        exec(block, names)
    if page.name == "README.md":
        assert isinstance(names["trial"], autoreg.Trial)
        assert names["measured"].by_layer().columns == ["layer", "units", "auc", "similar_units", "dead_share"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_piece_of_a_sweep_file_is_one(page: Path, tmp_path: Path) -> None:
    training = "training: {learning_rate: 0.1, batch_size: 50, epochs: 82}"
    least = {"name": "name: own", "network": "network: mlp", "dataset": "dataset: teacher"}
    least |= {"training": training, "replicates": "replicates: 1"}
    texts = blocks(name_of(page), "yaml")
    for key, rest in re.findall(
        r"(?:`|^ {4})(network|dataset|grid|training|tune|measure|resources)(: \{[^`\n]*\})(?:`|$)",
        re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE),
        re.MULTILINE,
    ):
        texts.append("\n".join({**least, key: (key + rest).replace("…", "x")}.values()))
    for text in texts:
        (tmp_path / "piece.yaml").write_text(text, encoding="utf-8")
        assert load_sweep(tmp_path / "piece.yaml").sweep.name


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, fill_in: Callable[..., Path]) -> Path:
    return fill_in(tmp_path_factory.mktemp("filled"), figures=["6", "B5"])


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_query_runs(page: Path, filled: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    results = Results(filled)
    queries = [query for block in blocks(name_of(page), "sql") for query in block.split(";") if query.strip()]
    queries += [words[1] for words in command_lines(text) if words[0] == "query"]
    for query in queries:
        assert results.query(query).columns
        if "-- drawing:" in query:
            (tmp_path / "own.sql").write_text(query, encoding="utf-8")
            assert results.figure(str(tmp_path / "own.sql")).axes


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_block_is_of_a_language_that_nothing_here_checks(page: Path) -> None:
    fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)[::2]
    assert set(fences) <= {"python", "yaml", "sql", "bash", "text"}


def messages() -> list[re.Pattern[str]]:
    """Return every text in the sources that has a sentence's length, with any text for what is put into it."""
    patterns = []
    for path in (ROOT / "autoreg").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            texts = [part.value if isinstance(part, ast.Constant) else None for part in parts]
            if sum(len(text) for text in texts if isinstance(text, str)) > 15:
                pattern = "".join(re.escape(text) if isinstance(text, str) else ".+" for text in texts)
                patterns.append(re.compile(pattern, re.DOTALL))
    return patterns


def test_every_error_that_the_faq_explains_is_one_that_autoreg_gives(tmp_path: Path) -> None:
    given = messages()
    quoted = re.findall(r"^\*\*(`+)(.+?)\1\*\*", (ROOT / "docs" / "faq.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(quoted) > 10
    (tmp_path / "my_sweep.yaml").write_text("name: a" + "\n" * 24 + "grid: {width: [0, 1]}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_sweep(tmp_path / "my_sweep.yaml")
    for _, text in quoted:
        if f"{tmp_path}/{text}\n" not in f"{raised.value}\n":
            assert any(pattern.match(text) for pattern in given), text


@pytest.mark.usefixtures("forks")
def test_what_is_said_of_ones_own_things_runs(tmp_path: Path) -> None:
    network, dataset, metric = blocks("docs/own.md", "python")
    for name, code in (("mynets", network), ("mydata", dataset), ("mymetrics", metric)):
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
    [figure] = blocks("docs/own.md", "sql")
    (tmp_path / "wide.sql").write_text(figure, encoding="utf-8")
    sweep = {
        "name": "own",
        "network": {"name": "mynets:build", "hidden": 16}, "dataset": {"name": "mydata:rings", "noise": 0.2},
        "grid": {"width": ["1/2", 1, 2]}, "replicates": 2,
        "training": {"learning_rate": 0.1, "batch_size": 30, "epochs": 2},
        "measure": {"metrics": {"ablation": {}, "similarity": {}, "mymetrics:sparsity": {"threshold": 0.1}}},
    }  # fmt: skip
    (tmp_path / "own.yaml").write_text(json.dumps(sweep), encoding="utf-8")

    def run(*words: str) -> str:
        ended = command(*words, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    run("sweep", "own.yaml")
    rows = json.loads(run("query", "select layer, active from mymetrics_sparsity", "--format", "json"))
    assert [row["layer"] for row in rows] == ["first"] * 6
    assert all(0 < row["active"] < 1 for row in rows)
    assert run("report", "--figure", "wide.sql").split()[0] == "reports/wide.png"
