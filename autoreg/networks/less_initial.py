"""What a network's logits are compared by if it has a richness: (f − f₀) / γ."""

import torch
from torch import Tensor, nn


class LessInitial(nn.Module):
    """(f − f₀) / γ of some inputs; f₀ is whole whatever is dropped of f, and computed once, when it is asked for.

    Args:
        initial: f₀, in evaluation mode. It is no part of the module: it is not trained, and no state_dict has it.
        richness: γ.
        inputs: of f₀.
    """

    def __init__(self, initial: nn.Module, richness: float, inputs: Tensor) -> None:
        super().__init__()
        self.__dict__["initial"] = initial
        self.richness, self.inputs = richness, inputs
        self.before: Tensor | None = None

    def forward(self, logits: Tensor) -> Tensor:
        """Return (f − f₀) / γ, [batch, classes]; logits are f's, of one input if it is the same for all."""
        if self.before is None:
            with torch.no_grad():
                self.before = self.__dict__["initial"](self.inputs)
        return (logits - self.before) / self.richness
