"""Ray, started quietly and on this machine only, or joined where it already runs."""

import atexit
import logging
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen
from threading import Thread
from typing import Any, NamedTuple

from autoreg.errors import ConfigError, first_line
from autoreg.orchestrator.backend import BackendLost
from autoreg.orchestrator.ray_runtime.reaper import Reaper
from autoreg.orchestrator.ray_runtime.stuck import is_stuck
from autoreg.orchestrator.ray_runtime.turn import started

#: Read by Ray when it is first imported: no chatter, no usage report, no loggers.
QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    "TUNE_WARN_THRESHOLD_S": "1000",
}
#: For a session that is started here: its processes talk to each other with a token only, and on the loopback
#: interface only, which Ray does unasked on other systems than Linux; a test lists the sockets. The token is in the
#: environment, since the file that Ray would write can be read by others where a home folder can.
OWN = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Ray takes its own processes for dead that have not answered for a minute; here, for five: a busy machine is slow.
    "RAY_health_check_failure_threshold": "30",  # at 10 s for an answer, and 3 s between two
    "RAY_gcs_rpc_server_reconnect_timeout_s": "300",
    "SPT_NOENV": "1",  # or Ray's agents write their title over their environment, by which the reaper knows them
}
#: How glibc manages the memory of processes that are started here: in huge pages, and what is freed stays at hand.
#: Otherwise each large tensor is mapped, filled page by page and unmapped in every training step, which takes up to a
#: third of it. Needs glibc 2.35; elsewhere, and where the kernel has no transparent huge pages, it does nothing.
MALLOC = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "67108864",
    "MALLOC_ARENA_MAX": "1",  # Tune trains in a thread, which would have an arena of its own, without all this
}
#: Bytes of a temporary folder's path; below a longer one, Ray's sockets have paths of more than the system's 107.
LONGEST_TEMPORARY = 36
#: `ray`, once a session has imported it.
_imported_here: set[str] = set()
#: How long Ray may take to start here, and to end.
SECONDS_TO_START, SECONDS_TO_SHUT_DOWN = 60.0, 30.0
#: Ray's names of its own processes without which it does not go on; the raylet ends with its agents.
OWN_PROCESSES = ("raylet", "gcs_server")
#: How long the head of a cluster may take to answer.
SECONDS_TO_ANSWER = 10.0


class Session(NamedTuple):
    """A running session.

    Attributes:
        ray: the module.
        processes: those of Ray's own, by name, without which it does not go on; none if it was not started here.
    """

    ray: Any
    processes: Mapping[str, "Popen[bytes]"]


@contextmanager
def ray_session(address: str | None = None, scratch: Path | None = None) -> Iterator[Session]:
    """Give a running session of Ray, and end it if it was started here.

    Args:
        address: None starts Ray on this machine; `auto` or `host:port` joins a running cluster.
        scratch: a folder that is removed when the session ends, in whatever way.

    Raises:
        ConfigError: there is no Ray at that address.
        BackendLost: Ray does not start here.
    """
    with session_environment(QUIET if address else QUIET | OWN):
        yield from _session(address, scratch)


def _session(address: str | None, scratch: Path | None) -> Iterator[Session]:
    import ray

    _imported_here.add("ray")
    # Ray waits for its processes most of the time in which it starts; meanwhile this one imports what comes next.
    Thread(target=_import_tune, daemon=True).start()
    for name in ("ray", "ray.tune", "ray.train", "ray.data"):  # what goes wrong, the driver tells in its own words
        logging.getLogger(name).setLevel(logging.CRITICAL)
    ray._private.worker._worker_logs_enabled = False  # nor on stdout, by a thread that no option stops
    with Reaper() as reaper:
        if scratch:
            reaper.remove(scratch)
        if ray.is_initialized():
            yield Session(ray, {})
            return
        try:
            with _joined(ray, address) if address else _started(ray, reaper) as processes:
                yield Session(ray, processes)
        finally:
            if is_stuck():  # and so would its last call be, when Python ends
                atexit.unregister(ray.shutdown)


@contextmanager
def _joined(ray: Any, address: str) -> "Iterator[dict[str, Popen[bytes]]]":
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError) as error:
        raise ConfigError(f"no Ray session at {address}: {first_line(error)}") from error
    try:
        yield {}
    finally:
        ray.shutdown()


@contextmanager
def _started(ray: Any, reaper: Reaper) -> "Iterator[dict[str, Popen[bytes]]]":
    """Start Ray, and give its own processes."""

    def start() -> None:
        # "local" and not None, which would join whatever Ray happens to run on this machine
        options = {"address": "local", "include_dashboard": False, **own_folders()}
        with inherited(MALLOC):
            context = ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
        reaper.remove(Path(context.address_info["session_dir"]))

    with ExitStack() as stack:
        try:
            stack.enter_context(started(start, ray.shutdown, (SECONDS_TO_START, SECONDS_TO_SHUT_DOWN)))
        except ValueError as error:
            raise ConfigError(f"no Ray session at this machine: {first_line(error)}") from error
        except Exception as error:
            raise BackendLost(f"Ray did not start: {first_line(error)}") from error
        processes = ray._private.worker._global_node.all_processes
        yield {name: info.process for name in OWN_PROCESSES for info in processes[name]}


@contextmanager
def inherited(variables: Mapping[str, str]) -> Iterator[None]:
    """Have processes that are started inside inherit variables of the environment, unless the user has set them."""
    own = variables.keys() - os.environ.keys()
    os.environ.update({name: variables[name] for name in own})
    try:
        yield
    finally:
        for name in own:
            del os.environ[name]


@contextmanager
def session_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set what is not set; on leaving, unset it again, and what Ray has set beside it."""
    before = {*os.environ, *variables}
    with inherited(variables):
        try:
            yield
        finally:
            for name in os.environ.keys() - before:
                if name.startswith(("RAY_", "TUNE_")):
                    del os.environ[name]


def check_not_imported() -> None:
    """Raise ConfigError if Ray was imported before a session could say how: it would refuse its own processes."""
    ray = sys.modules.get("ray")
    if ray and not (_imported_here or ray.is_initialized() or os.environ.get("RAY_AUTH_MODE") == OWN["RAY_AUTH_MODE"]):
        raise ConfigError(
            "Ray was imported before autoreg could set its token: start Python anew, and import ray after autoreg.run"
        )


def check_interpreter() -> None:
    """Raise ConfigError if Python drops docstrings, without which Ray does not start."""
    if sys.flags.optimize > 1:
        raise ConfigError("Ray needs docstrings, which PYTHONOPTIMIZE=2 and python -OO drop; use 1 or nothing")


def own_folders() -> dict[str, Any]:
    """Return where a session keeps its files and its shared memory, where Ray's own choice does not work here."""
    temporary, shared = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir(), Path("/dev/shm")
    chosen = {"_temp_dir": "/tmp/ray"} if len(os.fsencode(temporary)) > LONGEST_TEMPORARY else {}
    if sys.platform == "linux" and not os.access(shared, os.W_OK):
        chosen["_plasma_directory"] = tempfile.gettempdir()
    return chosen


def _import_tune() -> None:
    import ray.tune  # noqa: F401


def check_address(address: str | None) -> None:
    """Raise ConfigError unless a cluster's address can be connected to: Ray itself would try for minutes."""
    if address is None or address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdigit()):
        raise ConfigError(f"no Ray session at {address}: an address is auto or host:port")
    try:
        socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(f"no Ray session at {address}: {first_line(error)}") from error
