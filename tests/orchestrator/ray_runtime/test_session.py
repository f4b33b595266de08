"""Ray's session: reachable from this machine only, with a token only."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from autoreg.errors import ConfigError
from autoreg.orchestrator.ray_runtime.reaper import MARK, processes_with
from autoreg.orchestrator.ray_runtime.session import (
    MALLOC,
    OWN,
    check_address,
    check_interpreter,
    check_not_imported,
    inherited,
    own_folders,
    session_environment,
)
from autoreg.orchestrator.ray_runtime.signals import StopOnSignal

LISTENING = "0A"


def listening_addresses(processes: list[int]) -> dict[str, int]:
    """The local addresses of all TCP sockets on which the processes listen, each with a process."""
    owners = {}
    for process in processes:
        for link in Path(f"/proc/{process}/fd").iterdir():
            try:
                owners[str(link.readlink())] = process
            except OSError:
                continue
    found = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == LISTENING and f"socket:[{words[9]}]" in owners:
                digits = words[1].split(":")[0]
                packed = b"".join(bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8))
                address = ip_address(packed)
                found[str(getattr(address, "ipv4_mapped", None) or address)] = owners[f"socket:[{words[9]}]"]
    return found


def rest() -> None:
    time.sleep(1)


def test_every_socket_of_a_sweep_listens_on_the_loopback_interface_only(ray_here: Any) -> None:
    busy = ray_here.remote(rest).remote()
    processes = [*processes_with(os.environ[MARK]), os.getpid()]
    assert len(processes) > 3
    addresses = listening_addresses(processes)
    ray_here.get(busy)
    assert addresses, "Ray listens somewhere"
    assert all(ip_address(address).is_loopback for address in addresses), addresses


def test_a_socket_on_another_interface_would_be_noticed() -> None:
    with socket.create_server(("0.0.0.0", 0)):
        assert "0.0.0.0" in listening_addresses([os.getpid()])


def test_the_dashboard_has_no_page(ray_here: Any) -> None:
    commands = [Path(f"/proc/{process}/cmdline").read_bytes() for process in processes_with(os.environ[MARK])]
    dashboards = [command for command in commands if b"dashboard/dashboard.py" in command]
    assert commands
    assert all(b"--disable-frontend" in command for command in dashboards), "Ray counts its usage there, if asked to"


def test_nobody_gets_in_without_the_token(ray_here: Any) -> None:
    code = "import sys; from ray._raylet import GcsClient; GcsClient(sys.argv[1]).get_all_node_info(timeout=20)"
    address = ray_here.get_runtime_context().gcs_address
    for environment, lets_in in ((os.environ, True), ({**os.environ, "RAY_AUTH_TOKEN": "0" * 64}, False)):
        ended = subprocess.run([sys.executable, "-c", code, address], capture_output=True, text=True, env=environment)
        assert (ended.returncode == 0) == lets_in, ended.stderr
        assert lets_in or "token" in ended.stderr


def malloc_settings() -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in MALLOC}


def test_workers_keep_their_memory_at_hand_and_the_environment_here_is_as_it_was(ray_here: Any) -> None:
    assert ray_here.get(ray_here.remote(malloc_settings).remote()) == MALLOC
    assert set(malloc_settings().values()) == {None}


def test_what_a_user_says_of_malloc_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")
    with inherited(MALLOC):
        assert malloc_settings() == {**MALLOC, "MALLOC_ARENA_MAX": "7"}
    assert {name for name, value in malloc_settings().items() if value} == {"MALLOC_ARENA_MAX"}


@pytest.mark.timeout(60)  # Ray itself would try for minutes
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nonsense", "no Ray session at nonsense: an address is auto or host:port"),
        ("host:", "no Ray session at host:: an address is auto or host:port"),
        ("127.0.0.1:1", "no Ray session at 127.0.0.1:1: "),
        ("127.0.0.1:99999", "no Ray session at 127.0.0.1:99999: "),
    ],
)
def test_an_address_where_nobody_listens_is_told_at_once(address: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_address(address)
    assert str(caught.value).startswith(message)


def test_a_temporary_folder_too_long_for_sockets_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", "/" + "d" * 35)
    assert own_folders() == {}
    monkeypatch.setattr(tempfile, "tempdir", "/" + "d" * 109)
    assert own_folders() == {"_temp_dir": "/tmp/ray"}


def test_shared_memory_that_cannot_be_written_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != "/dev/shm")
    assert own_folders() == {"_plasma_directory": "/tmp"}


def test_an_interpreter_without_docstrings_is_refused() -> None:
    check_interpreter()
    code = "from autoreg.orchestrator.ray_runtime.session import check_interpreter; check_interpreter()"
    ended = subprocess.run([sys.executable, "-OO", "-c", code], stderr=subprocess.PIPE)
    assert ended.returncode == 1
    assert b"ConfigError: Ray needs docstrings, which PYTHONOPTIMIZE=2 and python -OO drop" in ended.stderr


def test_a_session_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    before = os.environ.copy()
    with session_environment({"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0", "SPT_NOENV": "1"}):
        assert (os.environ["RAY_AUTH_MODE"], os.environ["RAY_USAGE_STATS_ENABLED"]) == ("token", "1")
        os.environ["RAY_JOB_CONFIG"] = "set by Ray"
    assert os.environ.copy() == before


def test_a_ray_that_was_imported_before_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoreg.orchestrator.ray_runtime.session._imported_here", set())
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    check_not_imported()
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="Ray was imported before autoreg could set its token: start Python anew"):
        check_not_imported()
    monkeypatch.setenv("RAY_AUTH_MODE", OWN["RAY_AUTH_MODE"])
    check_not_imported()


def test_a_sweep_in_a_thread_leaves_signals_to_the_main_one() -> None:
    before, after = signal.getsignal(signal.SIGINT), []

    def run() -> None:
        with StopOnSignal(lambda: None):
            after.append(signal.getsignal(signal.SIGINT))

    thread = Thread(target=run)
    thread.start()
    thread.join()
    assert after == [before]
