"""Whose fault a failure is, and what follows from it."""

import errno
from typing import Any

import pytest
import torch

from autoreg.orchestrator.failure import Failure, Kind, Verdict, failure_in, failure_of, out_of_time, verdict

ERRORS = [
    (ValueError("needs CUDA"), Kind.TRIAL),
    (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), Kind.TRIAL),
    (RuntimeError("out of memory, says my own network"), Kind.TRIAL),
    (KeyError("a2"), Kind.TRIAL),
    (MemoryError("no memory"), Kind.MEMORY),
    (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), Kind.MEMORY),
    (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), Kind.MEMORY),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory"), Kind.MEMORY),
    (torch.AcceleratorError("CUDA error: device-side assert triggered"), Kind.TRANSIENT),
    (RuntimeError("CUDA error: an illegal memory access was encountered"), Kind.TRANSIENT),
    (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), Kind.TRANSIENT),
    (ConnectionResetError("by peer"), Kind.TRANSIENT),
    (OSError(errno.ENOSPC, "No space left on device"), Kind.STORAGE),
    (OSError(errno.EROFS, "Read-only file system"), Kind.STORAGE),
]


@pytest.mark.parametrize(
    ("error", "kind"), ERRORS, ids=[f"{type(error).__name__}: {error}"[:40] for error, _ in ERRORS]
)
def test_an_exception_says_by_its_type_whose_fault_it_is(error: Exception, kind: Kind) -> None:
    failure = failure_of(error)
    assert failure.kind is kind
    assert failure.why.startswith(f"{type(error).__name__}: ")
    assert "\n" not in failure.why


def test_rays_own_exceptions_are_known_by_their_names(ray_here: Any) -> None:
    errors = ray_here.exceptions
    assert failure_of(errors.OutOfMemoryError("the node was running low on memory")).kind is Kind.MEMORY
    assert failure_of(errors.WorkerCrashedError()).kind is Kind.MEMORY
    assert failure_of(errors.ActorDiedError()).kind is Kind.MEMORY
    assert failure_of(errors.LocalRayletDiedError()).kind is Kind.TRANSIENT
    assert failure_of(errors.ActorUnavailableError("RpcError", b"1" * 16)).kind is Kind.UNREACHED


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ray.exceptions.RayTaskError\nMemoryError: no memory", Kind.MEMORY),
        ("The actor died unexpectedly before finishing this task.", Kind.MEMORY),
        ("OSError: [Errno 28] No space left on device", Kind.STORAGE),
        ("The actor died because its node has died.", Kind.TRANSIENT),
        ("The actor 1a is unavailable: The actor is temporarily unavailable: RpcError: Unavailable", Kind.UNREACHED),
    ],
)
def test_rays_text_tells_of_a_process_that_ended_without_a_word(text: str, kind: Kind) -> None:
    assert failure_in(text) == Failure(kind, text.splitlines()[-1])


def test_a_process_of_which_nothing_is_known_is_told_as_such() -> None:
    assert failure_in("") == Failure(Kind.TRANSIENT, "its process died")


def test_a_trial_that_took_too_long_says_how_long_it_might_and_where_it_stood() -> None:
    failure = out_of_time("File net.py, line 3", 0.5)
    assert failure.why == "it was stopped after 0.5 h, which is resources.time_limit_hours"
    assert failure.details == "File net.py, line 3"


@pytest.mark.parametrize(
    ("kind", "tries", "was_alone", "expected"),
    [
        (Kind.TRANSIENT, 1, False, Verdict.RETRY),
        (Kind.TRANSIENT, 2, False, Verdict.RETRY),
        (Kind.TRANSIENT, 3, False, Verdict.GIVE_UP),
        (Kind.UNREACHED, 2, False, Verdict.RETRY),
        (Kind.UNREACHED, 3, False, Verdict.GIVE_UP),
        (Kind.MEMORY, 1, False, Verdict.RETRY_ALONE),
        (Kind.MEMORY, 2, True, Verdict.GIVE_UP),
        (Kind.MEMORY, 3, False, Verdict.GIVE_UP),
        (Kind.TIME, 1, False, Verdict.GIVE_UP),
        (Kind.TRIAL, 1, False, Verdict.GIVE_UP),
        (Kind.STORAGE, 1, False, Verdict.STOP),
        (Kind.STORAGE, 3, True, Verdict.STOP),
    ],
)
def test_what_follows_from_a_failure(kind: Kind, tries: int, was_alone: bool, expected: Verdict) -> None:
    assert verdict(Failure(kind, "why"), tries, was_alone) is expected
