"""The errors a user can cause, each with the exit code that the command line ends with."""


class AutoregError(Exception):
    """An error that is told to the user in one line, without a traceback."""

    exit_code = 1


class ConfigError(AutoregError):
    """A sweep file, an option or an argument breaks a rule."""

    exit_code = 2


class DataError(AutoregError):
    """Data that the work needs is missing, damaged or not yet computed."""

    exit_code = 3


class DatabaseError(AutoregError):
    """results.db is locked, damaged or from a newer version of autoreg."""

    exit_code = 4


class DamagedDatabase(DatabaseError):
    """What is in results.db cannot be read; it can be made again from the run folder."""


class Interrupted(AutoregError):
    """The user stopped the sweep; what was in flight is checkpointed."""

    exit_code = 130


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its kind if it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def is_the_machines(error: Exception) -> bool:
    """Whether an error may be gone in a new process: of the operating system, of memory, or of a GPU."""
    return isinstance(error, OSError | MemoryError) or "CUDA" in str(error) or "out of memory" in str(error)
