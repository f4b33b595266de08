"""What is known of a site's units where one map reads them."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from autoreg.moments import Moments

#: Added to the moments of units that are scaled to a spread of 1, so that copies of a unit have an inverse too.
RIDGE = 1e-8


@dataclass(frozen=True)
class Reading:
    """One read point of a site: the moments of its units there, and what the map that reads them makes of each.

    Attributes:
        mean: of each unit's activation, float64, [units].
        covariance: of the activations, float64, [units, units].
        gram: Σ w_j · w_k over what the map gives, w_j being its weights of unit j, scaled to shares of the variance of
            what it gives; float64, [units, units].
    """

    mean: Tensor
    covariance: Tensor
    gram: Tensor

    @cached_property
    def second(self) -> Tensor:
        """E x xᵀ, [units, units]: what is lost of units that are set to 0."""
        return self.covariance + torch.outer(self.mean, self.mean)

    @cached_property
    def is_constant(self) -> Tensor:
        """Which units leave nothing behind but a constant, which the map's bias takes up, [units]."""
        return self.covariance.diagonal() <= 0

    @cached_property
    def spread(self) -> Tensor:
        """Each unit's standard deviation, [units]."""
        return self.covariance.diagonal().clamp_min(0).sqrt()

    @cached_property
    def likeness(self) -> Tensor:
        """The covariance of units scaled to a spread of 1, with a ridge, [units, units]; constant ones stand alone."""
        scale = _reciprocal_root(self.covariance.diagonal())
        scaled = self.covariance * torch.outer(scale, scale)
        scaled.diagonal().fill_(1 + RIDGE)
        return scaled

    @cached_property
    def correlation(self) -> Tensor:
        """|Pearson r| of each pair of units, [units, units]; 0 with one whose activation is constant."""
        scale = _reciprocal_root(self.covariance.diagonal())
        return (self.covariance * torch.outer(scale, scale)).abs()

    def merged(self, units: Tensor, into: Tensor) -> tuple[Tensor, Tensor]:
        """Return the γ and c with which γ · x_into + c is nearest to x_unit, for each pair of the two lists.

        For none, which is the number of units, γ is 0, and c the activation of a unit that is constant, or else 0.
        """
        is_none = into == len(self.mean)
        into = into.masked_fill(is_none, 0)
        squares = self.covariance.diagonal()[into]
        factors = torch.where((squares > 0) & ~is_none, self.covariance[units, into] / squares, 0.0)
        is_shifted = ~is_none | self.is_constant[units]
        offsets = self.mean[units] - factors * self.mean[into]
        return factors, torch.where(is_shifted, offsets, 0.0)


def read(moments: Moments, weight: Tensor, *, is_last: bool, reads: int = 1) -> Reading:
    """Return a reading.

    Args:
        moments: of the units' activations at the read point.
        weight: of the map that reads them, [outputs, units, kernel positions].
        is_last: whether the map gives the logits. What is the same for all classes then counts for nothing, since no
            label sees it.
        reads: how many maps read the units; each has an equal share of the error.
    """
    weight = weight.detach().double().cpu()
    if is_last:
        weight = weight - weight.mean(0)
    by_unit = weight.transpose(0, 1).flatten(1)
    gram, mean, covariance = by_unit @ by_unit.T, moments.mean.cpu(), moments.scatter.cpu() / moments.count
    variance = (gram * covariance).sum()
    if variance <= 0:  # the map gives a constant: the units count by what they add to it
        variance = (gram * (covariance + torch.outer(mean, mean))).sum()
    scale = variance.reciprocal() / reads if variance > 0 else 0.0
    return Reading(mean, covariance, gram * scale)


def _reciprocal_root(squares: Tensor) -> Tensor:
    return torch.where(squares > 0, squares.rsqrt(), 0.0)
