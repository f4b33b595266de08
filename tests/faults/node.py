"""A node of a cluster on this machine: `python -m tests.faults.node IP ray symmetric-run …` in a PID namespace.

`ray symmetric-run` tells nodes apart by the addresses of their interfaces, of which two nodes on one machine have the
same. Here each has the one that it is given. All else is Ray's own.
"""

import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

from ray.scripts import symmetric_run

CPUS_OF_A_NODE = 1


def main() -> None:
    ip, sys.argv = sys.argv[1], sys.argv[2:]
    run = subprocess.run

    def run_here(words: list[str], **options: Any) -> Any:
        if words[:2] == ["ray", "start"]:
            words = [
                *words,
                f"--num-cpus={CPUS_OF_A_NODE}",
                *([] if "--head" in words else [f"--node-ip-address={ip}"]),
            ]
        return run(words, **options)

    interface = SimpleNamespace(family=socket.AddressFamily.AF_INET, address=ip)
    symmetric_run.psutil.net_if_addrs = lambda: {"only": [interface]}
    symmetric_run.is_localhost = lambda _: False
    subprocess.run = run_here  # type: ignore[assignment]
    symmetric_run.symmetric_run(sys.argv[2:])


if __name__ == "__main__":
    main()
