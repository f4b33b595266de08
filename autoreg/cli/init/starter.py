"""What `autoreg init` writes: a commented sweep, a network to change, and a JSON Schema for editors."""

import json
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autoreg.cli.init.json_schema import sweep_schema
from autoreg.errors import ConfigError, DataError, shown
from autoreg.files import write_text


def write_starter(folder: Path, name: str = "my_sweep", images: Path | None = None, size: int = 64) -> list[Path]:
    """Write a sweep, its network and the schema into a folder, and return the files; none of them is replaced.

    Args:
        folder: is made if it is not there.
        name: of the sweep and its file.
        images: a folder with one folder of images for each class, whose networks are convolutional; None takes
            made-up vectors, which need no files.
        size: side of the squares that the images become.

    Raises:
        ConfigError: the name is no sweep's, or a file is there already.
        DataError: there are no images.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,90}", name):
        raise ConfigError(f"a sweep's name has small letters, digits and underscores, got {shown(name)}")
    if images is not None and not images.is_dir():
        raise DataError(f"the folder {images} does not exist")
    module = f"{name}_network" if name[0].isalpha() else f"network_{name}"
    paths = [folder / f"{name}.yaml", folder / f"{module}.py", folder / "sweep.schema.json"]
    for path in paths[:2]:
        if path.exists():
            raise ConfigError(f"{path} is there already; choose another --name or another folder")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    facts = {"name": name, "module": module, "images": str(images.resolve()) if images else None, "size": size}
    for path, template in zip(paths, ("sweep.yaml.j2", "network.py.j2"), strict=False):
        write_text(path, environment.get_template(template).render(facts))
    write_text(paths[2], json.dumps(sweep_schema(), indent=1, ensure_ascii=False) + "\n")
    return paths
