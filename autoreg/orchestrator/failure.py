"""Why a try of a trial failed, and what follows from it: the one place that tells a trial's fault from others."""

import errno
import re
from dataclasses import dataclass, replace
from enum import Enum, StrEnum

from autoreg.errors import with_kind

#: How often a trial is tried that is not to blame: a worker that dies, a full disk, a GPU in a bad state.
TRIES = 3
#: To the process of how many tries Ray may lose touch before that counts against the trial.
MOST_UNREACHED = 20


class Kind(StrEnum):
    """Whose fault a failure is."""

    TRIAL = "trial"  # it would fail in the same way again
    TIME = "time"  # it took longer than it may
    TRANSIENT = "transient"  # it may be gone in a new process
    MEMORY = "memory"  # it may be gone where more memory is left
    UNREACHED = "unreached"  # Ray has lost touch with its process, which may go on
    STORAGE = "storage"  # nothing can be written any more, so every other trial would fail as well


@dataclass(frozen=True)
class Failure:
    """What ended a try.

    Attributes:
        kind: whose fault it is.
        why: one line.
        details: more lines, such as where a hanging trial stood.
    """

    kind: Kind
    why: str
    details: str = ""

    def at_last(self) -> "Failure":
        """Return the failure of a trial that is not tried again."""
        is_own = self.kind in (Kind.TRIAL, Kind.TIME)
        return self if is_own else replace(self, why=f"gave up after several tries: {self.why}")


#: What is to blame if a process comes to the end of a bundle, and one of its trials has not ended.
SILENT = Failure(Kind.TRANSIENT, "its process said nothing of it")
#: What is to blame if a trial has ended, and its result is not one.
UNREADABLE = Failure(Kind.TRANSIENT, "the result that it wrote cannot be read")


class Verdict(Enum):
    """What follows from a failure."""

    RETRY = "retry"
    RETRY_ALONE = "retry alone"
    GIVE_UP = "give up"
    STOP = "stop"


def verdict(failure: Failure, tries: int, was_alone: bool) -> Verdict:
    """Return what follows from a failure.

    Args:
        failure: what ended the try.
        tries: how often the trial was tried, this try among them (`Schedule.tries`).
        was_alone: whether it had a whole machine for itself; what does not suffice then is given up.
    """
    if failure.kind is Kind.STORAGE:
        return Verdict.STOP
    if failure.kind in (Kind.TRIAL, Kind.TIME) or tries >= TRIES:
        return Verdict.GIVE_UP
    if failure.kind is Kind.MEMORY:
        return Verdict.GIVE_UP if was_alone else Verdict.RETRY_ALONE
    return Verdict.RETRY


#: By the names of classes, so that neither torch nor Ray need be imported to know their errors. A process that is gone
#: without a word was most often ended by the operating system for lack of memory.
_KINDS = {
    "MemoryError": Kind.MEMORY,
    "OutOfMemoryError": Kind.MEMORY,
    "WorkerCrashedError": Kind.MEMORY,
    "ActorUnavailableError": Kind.UNREACHED,
    "RayActorError": Kind.MEMORY,
    "AcceleratorError": Kind.TRANSIENT,
    "RayError": Kind.TRANSIENT,
    "OSError": Kind.TRANSIENT,
}
_NO_STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
#: PyTorch has no class of its own for these.
_TORCH = {
    Kind.MEMORY: re.compile(r"CUDA out of memory|.*DefaultCPUAllocator: |.*CUBLAS_STATUS_ALLOC_FAILED"),
    Kind.TRANSIENT: re.compile(r"CUDA error|CUDA driver|cuDNN error|NCCL"),
}
#: What Ray writes of an actor's end, which reaches us as a text.
_TEXTS = {
    Kind.STORAGE: re.compile(r"No space left on device|Disk quota exceeded|Read-only file system|Input/output error"),
    Kind.UNREACHED: re.compile(r"actor is temporarily unavailable"),
    Kind.MEMORY: re.compile(r"MemoryError|OutOfMemory|low on memory|died unexpectedly|crashed unexpectedly"),
}


def failure_of(error: BaseException) -> Failure:
    """Return what an exception says of a try, by its type first."""
    return Failure(_kind_of(error), with_kind(error))


def _kind_of(error: BaseException) -> Kind:
    if isinstance(error, OSError) and error.errno in _NO_STORAGE:
        return Kind.STORAGE
    for ancestor in type(error).__mro__:
        if kind := _KINDS.get(ancestor.__name__):
            return kind
    if type(error) is RuntimeError:
        return next((kind for kind, pattern in _TORCH.items() if pattern.match(str(error))), Kind.TRIAL)
    return Kind.TRIAL


def failure_in(text: str) -> Failure:
    """Return what Ray's text says of a process that ended without a word of its own."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kind = next((kind for kind, pattern in _TEXTS.items() if pattern.search(text)), Kind.TRANSIENT)
    return Failure(kind, lines[-1] if lines else "its process died")


def out_of_time(stack: str, hours: float | None) -> Failure:
    """Return the failure of a trial that took too long and stood at that stack when it was stopped."""
    why = f"it was stopped after {hours:g} h, which is resources.time_limit_hours"
    return Failure(Kind.TIME, why, details=stack)
