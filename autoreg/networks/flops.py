"""How much a network computes, known without computing it."""

from collections.abc import Sequence

import torch
from torch.utils.flop_counter import FlopCounterMode

from autoreg.config.trial import TrialConfig
from autoreg.networks.build import build_network


def forward_flops(config: TrialConfig, input_shape: Sequence[int], classes: int) -> int | None:
    """Return the floating-point operations of one forward pass of one example, in evaluation.

    Those of matrix products and convolutions are counted, a multiplication and an addition as two; a training step
    takes about three times as many for each example. Nothing is allocated.

    Args:
        config: names the network, its options and width.
        input_shape: shape of one example as the network sees it.
        classes: number of logits.

    Returns:
        The number, or None for a user's own network that looks at the values that it is given, of which there are none.
    """
    with torch.device("meta"), torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network = build_network(config, input_shape, classes).eval()
        try:
            network(torch.empty(1, *input_shape))
        except Exception:  # in a user's own function anything may go wrong
            return None
    return int(counter.get_total_flops())
