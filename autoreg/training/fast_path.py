"""Whether a trial is trained by the compiled kernel: decided when it begins, and kept when it goes on."""

import torch

from autoreg.networks import Network
from autoreg.networks.compiled import Kernel, load_kernel
from autoreg.networks.fused import are_fusible
from autoreg.training.state import TrialState


def choose_path(state: TrialState, is_wanted: bool) -> str | None:
    """Have a trial trained by the compiled kernel and a fused optimizer where it can be, else as everywhere.

    A trial that goes on stays with what it began with, so that all of it has the same bits.

    Args:
        state: the trial, fresh or resumed, on its device.
        is_wanted: whether a fresh one is to have the kernel.

    Returns:
        What the record is to say of it; None where the kernel computes nothing of the network.
    """
    is_here = all(each.device.type == "cpu" for each in state.network.parameters())
    if not (is_here and has_use(state.network)):
        return None
    kernel = _kernel_for(state, is_wanted)
    if isinstance(kernel, str):
        state.set_kernel(None)
        return f"off: {kernel}"
    state.set_kernel(kernel)
    return "on"


def _kernel_for(state: TrialState, is_wanted: bool) -> Kernel | str:
    """Return the kernel, or why the trial is trained without."""
    if state.epochs or state.begun:
        return load_kernel() if state.has_kernel else "as when the trial began"
    if not is_wanted:
        return "as resources.kernel says"
    if (threads := torch.get_num_threads()) > 1:
        return f"it computes on one thread, not on {threads}"
    return load_kernel()


def has_use(network: Network) -> bool:
    """Whether a network is trained by stages of which the kernel computes some."""
    is_staged = type(network).loss is Network.loss and network.auxiliary is None
    modules = network.in_training_order(None) if is_staged else []
    return any(are_fusible(modules[end - 3 : end]) for end in range(3, len(modules) + 1))
