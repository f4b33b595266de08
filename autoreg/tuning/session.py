"""Ray, started quietly and on this machine only, or joined where it already runs."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from autoreg.errors import ConfigError, first_line

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
#: For a session that is started here: its processes talk to each other with a token only.
OWN = {"RAY_AUTH_MODE": "token"}


@contextmanager
def ray_session(address: str | None = None) -> Iterator[Any]:
    """Give the `ray` module with a running session, and end the session if it was started here.

    Args:
        address: None starts Ray on this machine; `auto` or `host:port` joins a running cluster.
    """
    for name, value in (QUIET if address else QUIET | OWN).items():
        os.environ.setdefault(name, value)
    import ray

    for name in ("ray", "ray.tune", "ray.train", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    started = not ray.is_initialized()
    if started:
        # "local" and not None, which would join whatever Ray happens to run on this machine
        where: dict[str, Any] = {"address": address} if address else {"address": "local", "include_dashboard": False}
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
        except (ConnectionError, ValueError) as error:
            raise ConfigError(f"no Ray session at {address or 'this machine'}: {first_line(error)}") from error
    try:
        yield ray
    finally:
        if started:
            ray.shutdown()
