"""How a parameter grows with its network's width."""

from typing import NamedTuple


class Scale(NamedTuple):
    """How the sides of a parameter have grown from width 1; 1 for a side that does not grow with the width."""

    inputs: float = 1.0
    outputs: float = 1.0
    #: What the deviation of initial weights is multiplied by.
    deviation: float = 1.0
