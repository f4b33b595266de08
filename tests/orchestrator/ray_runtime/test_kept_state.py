"""What a trial's code changes of PyTorch's settings is put back, and said."""

import random
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
import torch

from autoreg.orchestrator.ray_runtime.kept_state import _SETTINGS, kept_state
from autoreg.training.precision import precision_of

CHANGES: dict[str, Callable[[], object]] = {
    "the default dtype": lambda: torch.set_default_dtype(torch.float64),
    "the default device": lambda: torch.set_default_device("meta"),
    "the number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "whether gradients are computed": lambda: torch.set_grad_enabled(False),
    "deterministic algorithms": lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    "anomaly detection": lambda: torch.autograd.set_detect_anomaly(True),
    "the matmul precision": lambda: torch.set_float32_matmul_precision("medium"),
    "torch.backends.fp32_precision": lambda: setattr(torch.backends, "fp32_precision", "tf32"),
    "torch.backends.cudnn.allow_tf32": lambda: setattr(torch.backends.cudnn, "allow_tf32", False),
    "torch.backends.cudnn.conv.fp32_precision": lambda: setattr(torch.backends.cudnn.conv, "fp32_precision", "ieee"),
    "torch.backends.cuda.matmul.fp32_precision": lambda: setattr(torch.backends.cuda.matmul, "allow_tf32", True),
    "torch.backends.cudnn.benchmark": lambda: setattr(torch.backends.cudnn, "benchmark", True),
}


def settings() -> list[object]:
    return [read() for _, read, _ in _SETTINGS]


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_setting_is_put_back_and_said(name: str) -> None:
    said: list[str] = []
    with kept_state(said.append):
        before = settings()
        CHANGES[name]()
        assert settings() != before
    assert settings() == before
    with precision_of("float32", torch.device("cpu")):  # reads what a mixture would make unreadable
        pass
    assert any(f"has changed {name} from " in line for line in said), said


def test_a_setting_is_put_back_after_a_failure_too() -> None:
    with suppress(ValueError), kept_state(lambda _: None):
        torch.set_default_dtype(torch.float64)
        raise ValueError
    assert torch.get_default_dtype() == torch.float32


def test_random_states_are_put_back_without_a_word() -> None:
    said: list[str] = []

    def draw() -> tuple[object, ...]:
        return random.random(), float(np.random.rand()), torch.rand(()).item()

    with kept_state(said.append):
        drawn = draw()
    assert draw() == drawn
    assert said == []


def test_what_every_trial_sets_is_no_change() -> None:
    said: list[str] = []
    with kept_state(said.append), precision_of("tf32", torch.device("cpu")):
        pass
    assert said == []
