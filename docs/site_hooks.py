"""The hooks of mkdocs: the site has the repository's own tree, so that a link is right both there and on GitHub."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"(?<=\]\()(?![a-z]+:)[^)#\s]+")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the files of docs/ by those of the repository, and add a page for each linked folder and notebook."""
    paths = repository_files()
    pages = [path for path in paths if path.endswith(".md")]
    generated = {path.replace(".ipynb", ".md"): notebook(ROOT / path) for path in paths if path.endswith(".ipynb")}
    for page in pages:
        for target in LINK.findall((ROOT / page).read_text(encoding="utf-8")):
            folder = normpath(join(dirname(page), target))
            if (ROOT / folder).is_dir() and f"{folder}/README.md" not in pages:
                generated[f"{folder}/README.md"] = listing(folder, paths)
    site = [file for file in files if file.src_dir != config.docs_dir]  # the theme's
    site += [File.generated(config, path, abs_src_path=str(ROOT / path)) for path in paths]
    return Files(site + [File.generated(config, path, content=text) for path, text in generated.items()])


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to folders and notebooks to their pages."""

    def destination(link: re.Match[str]) -> str:
        target = normpath(join(dirname(page.file.src_uri), link[0]))
        return join(link[0], "README.md") if (ROOT / target).is_dir() else link[0].replace(".ipynb", ".md")

    return LINK.sub(destination, markdown)


def repository_files() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    paths = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(path for path in paths if (ROOT / path).is_file())


def listing(folder: str, paths: list[str]) -> str:
    names = [path.removeprefix(f"{folder}/") for path in paths if path.startswith(f"{folder}/")]
    return "\n".join([f"# {folder}", "", *(f"- [{name}]({name})" for name in names)])


def notebook(path: Path) -> str:
    """Return a notebook as Markdown, with its stored outputs; nothing is run."""
    return "\n\n".join(part for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] for part in parts(cell))


def parts(cell: dict) -> Iterator[str]:
    source = "".join(cell["source"])
    yield source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```"
    for output in cell.get("outputs", []):
        data = output.get("data", {"text/plain": output.get("text")})
        if "image/png" in data:
            yield f"![](data:image/png;base64,{''.join(data['image/png']).strip()})"
        elif "text/html" in data:
            yield "".join(data["text/html"])
        else:
            yield f"```text\n{''.join(data['text/plain']).rstrip()}\n```"
