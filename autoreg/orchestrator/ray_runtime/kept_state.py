"""What PyTorch keeps for a whole process is put back after each trial, so that no trial changes the next."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import attrgetter
from typing import Any

import torch

from autoreg.training.generators import draw_on_from, drawn_so_far

#: Each is a name for people, how it is read, and how it is set.
_Setting = tuple[str, Callable[[], Any], Callable[[Any], object]]


def _set_default_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)  # with a device, every new tensor costs more


def _older(name: str, read: Callable[[], Any], write: Callable[[Any], object]) -> _Setting:
    """Return a setting that PyTorch cannot read once newer ones, by backend, say something else."""

    def read_or_mixed() -> Any:
        try:
            return read()
        except RuntimeError:
            return "mixed"

    return name, read_or_mixed, lambda value: None if value == "mixed" else write(value)


def _of_backend(path: str) -> _Setting:
    parent, _, name = f"backends.{path}".rpartition(".")
    return f"torch.backends.{path}", partial(attrgetter(f"{parent}.{name}"), torch), partial(_assign, parent, name)


def _assign(parent: str, name: str, value: Any) -> None:
    setattr(attrgetter(parent)(torch), name, value)


#: Older settings stand before newer ones, by backend, which they set too.
_SETTINGS: tuple[_Setting, ...] = (
    ("the default dtype", torch.get_default_dtype, torch.set_default_dtype),
    ("the default device", torch.get_default_device, _set_default_device),
    ("the number of threads", torch.get_num_threads, torch.set_num_threads),
    ("whether gradients are computed", torch.is_grad_enabled, torch.set_grad_enabled),
    ("deterministic algorithms", torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    ("anomaly detection", torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    _older("the matmul precision", torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    _older(*_of_backend("cudnn.allow_tf32")),
    *map(
        _of_backend,
        (
            "fp32_precision", "cuda.matmul.fp32_precision", "cudnn.conv.fp32_precision", "cudnn.rnn.fp32_precision",
            "mkldnn.matmul.fp32_precision", "mkldnn.conv.fp32_precision", "mkldnn.rnn.fp32_precision",
            "cuda.matmul.allow_fp16_reduced_precision_reduction", "cuda.matmul.allow_bf16_reduced_precision_reduction",
            "cudnn.benchmark", "cudnn.deterministic", "cudnn.enabled", "mkldnn.enabled", "mkldnn.deterministic",
        ),
    ),
)  # fmt: skip


@contextmanager
def kept_state(say: Callable[[str], object]) -> Iterator[None]:
    """Put back what the code inside changes of PyTorch's settings, and the states of all random generators.

    Args:
        say: is told of each setting that was changed, what to, and what it is again; of random states, which every
            trial changes, nothing.
    """
    allowed = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = allowed  # "ieee" in place of "none", which is the same: as every trial does
    before = [read() for _, read, _ in _SETTINGS]
    cpu = torch.device("cpu")
    drawn = drawn_so_far(cpu)
    try:
        yield
    finally:
        after = [read() for _, read, _ in _SETTINGS]
        if after != before:  # all are set, since setting one may change another
            for (name, _, write), was, now in zip(_SETTINGS, before, after, strict=True):
                write(was)
                if now != was:
                    say(f"warning: the trial's code has changed {name} from {was} to {now}; it is {was} again")
        draw_on_from(drawn, cpu)
