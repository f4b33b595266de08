"""What is timed are the program's own steps; what was not timed costs as its FLOPs say."""

from collections.abc import Callable

import pytest

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import load_dataset
from autoreg.metrics.measure import Measurement, measurements_of
from autoreg.orchestrator.forecast.cost import Costs, Network, Timed

MakeNetwork = Callable[..., Network]


@pytest.fixture
def network(config: Callable[..., TrialConfig]) -> MakeNetwork:
    def make(flops: float = 1.0, measurements: tuple[Measurement, ...] = (), **changes: object) -> Network:
        trial = config(**changes)
        return Network(trial, load_dataset(trial, None), 1, measurements, flops)

    return make


def epoch(costs: Costs, network: Network) -> float:
    timed = costs.training(network)
    assert timed is not None
    return timed.seconds


def test_an_epoch_of_ten_times_the_examples_takes_longer(network: MakeNetwork) -> None:
    costs = Costs()
    sizes = {"validation_size": 100, "test_size": 100}
    few, many = (
        network(dataset=Choice(name="teacher", options={"train_size": size, **sizes}), batch_size=10)
        for size in (800, 8000)
    )
    costs.time([few, many], 1.0)
    assert epoch(costs, many) > 2 * epoch(costs, few) > 0
    assert costs.slowdown > 0.5
    assert costs.problems == []


def test_measuring_knows_its_seconds_and_the_bytes_of_its_files(network: MakeNetwork) -> None:
    wanted = (*measurements_of("ablation", {"samples": 2}, ["test"]), *measurements_of("similarity", {}, ["test"]))
    costs, measured = Costs(), network(measurements=wanted)
    costs.time([measured], 1.0)
    timed = costs.measuring(measured)
    assert timed is not None
    assert timed.seconds > 0
    assert 1_000 < timed.size < 100_000


def test_what_does_not_fit_is_left_out_but_for_the_smallest_of_each_kind(network: MakeNetwork) -> None:
    networks = {width: network(flops=width**2, width=width) for width in (1.0, 0.25, 0.5)}
    other = network(optimizer=Choice(name="adam"))
    costs = Costs()
    costs.time([*networks.values(), other], 0.0)
    assert [costs.is_timed(network) for network in networks.values()] == [False, True, False]
    assert costs.is_timed(other)


def test_what_was_not_timed_costs_as_the_nearest_and_its_flops(network: MakeNetwork) -> None:
    known = [network(flops=10, width=0.25), network(flops=10, width=0.25, batch_size=10), network(flops=100, width=1.0)]
    timed = {net.training[1]: Timed(net, seconds, size=0) for net, seconds in zip(known, (2, 8, 15), strict=True)}
    costs = Costs(_timed={known[0].training[0]: timed})
    assert [epoch(costs, net) for net in known] == [2, 8, 15]
    assert epoch(costs, network(flops=20, width=0.5)) == 4
    assert epoch(costs, network(flops=20, width=0.5, batch_size=12)) == 16
    assert epoch(costs, network(flops=400, width=2.0)) == 60
    assert costs.training(network(flops=20, optimizer=Choice(name="adam"))) is None


def test_what_goes_wrong_keeps_nothing_else_from_being_timed(network: MakeNetwork) -> None:
    costs = Costs()
    unknown = network(flops=0.5, network=Choice(name="nowhere"))
    costs.time([unknown, network()], 1.0)
    assert costs.is_timed(network())
    assert [line.split("' (")[0] for line in costs.problems] == [
        f"{does} nowhere 1/4x: ConfigError: unknown network 'nowhere" for does in ("train", "measure")
    ]
