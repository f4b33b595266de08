"""A Ray cluster of two nodes on this machine, in a process of its own, from which the second node can be taken.

`python -m tests.faults.cluster` prints the cluster's address; a line on stdin takes the second node away, and the end
of stdin ends the rest.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

CPUS_OF_A_NODE = 1


@dataclass
class TwoNodes:
    """A running cluster."""

    address: str
    process: subprocess.Popen[str]

    def take_a_node_away(self) -> None:
        """Kill the second node and what runs on it."""
        assert self.process.stdin
        assert self.process.stdout
        print("remove", file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "removed\n"


@contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """Start a cluster of two nodes, which ends with the context."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.cluster"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        address = process.stdout.readline().strip()
        assert address, "the cluster did not start"
        yield TwoNodes(address, process)
    finally:
        process.communicate()


def main() -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": CPUS_OF_A_NODE, "include_dashboard": False})
    second = cluster.add_node(num_cpus=CPUS_OF_A_NODE)
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        cluster.remove_node(second, allow_graceful=False)
        print("removed", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
