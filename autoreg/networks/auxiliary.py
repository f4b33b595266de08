"""A classifier beside a network."""

from torch import Tensor, nn


class Auxiliary(nn.Module):
    """A classifier beside the network, whose loss is added while training (Szegedy et al. 2016, section 4).

    Args:
        layer: name of the stage whose activations it takes.
        classifier: activations of that stage → logits, [batch, classes].
        weight: factor of its loss.
    """

    def __init__(self, layer: str, classifier: nn.Module, weight: float) -> None:
        super().__init__()
        self.layer, self.classifier, self.weight = layer, classifier, weight

    def forward(self, activations: Tensor) -> Tensor:
        """Return the logits, [batch, classes]."""
        logits: Tensor = self.classifier(activations)
        return logits
