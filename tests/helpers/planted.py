"""An object that makes a folder when it is unpickled, in place of a stranger's code."""

import os
from pathlib import Path


class Planted:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> object:
        return os.mkdir, (str(self.target),)
