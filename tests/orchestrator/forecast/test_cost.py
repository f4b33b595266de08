"""What is timed are the program's own steps; what was not timed costs as its FLOPs say."""

from collections.abc import Callable

import pytest

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import Dataset, load_dataset
from autoreg.metrics import metrics
from autoreg.metrics.measure import Measurement, measurements_of
from autoreg.orchestrator.durations import measuring_key, training_key
from autoreg.orchestrator.forecast.cost import SLOWDOWN_BY_OTHERS, Costs, Network

MakeNetwork = Callable[..., Network]


@pytest.fixture
def network(config: Callable[..., TrialConfig]) -> MakeNetwork:
    def make(measurements: tuple[Measurement, ...] = (), at_once: int = 1, **changes: object) -> Network:
        trial = config(**changes)
        return Network(trial, load_dataset(trial, None), "cpu", 1, at_once, measurements, int(64 * trial.width))

    return make


def is_timed(costs: Costs, network: Network) -> bool:
    return costs.timed[network.setup].known(training_key(network.config), network.size) is not None


def test_an_epoch_of_ten_times_the_examples_takes_longer(network: MakeNetwork) -> None:
    costs = Costs()
    sizes = {"validation_size": 100, "test_size": 100}
    few, many = (
        network(dataset=Choice(name="teacher", options={"train_size": size, **sizes}), batch_size=10)
        for size in (800, 8000)
    )
    costs.time([few, many], 1.0)
    (less, source), (more, _) = costs.epoch(few), costs.epoch(many)
    assert less
    assert more
    assert more > 2 * less > 0
    assert source == "steps timed here"
    assert costs.problems == {}


def test_more_samples_of_a_metric_take_longer(network: MakeNetwork) -> None:
    few, many = (network(tuple(measurements_of("ablation", {"samples": samples}, ["test"]))) for samples in (1, 20))
    costs = Costs()
    costs.time([few, many], 1.0)
    less, more = (costs.timed[net.setup].known(measuring_key(net.config), (net.size[0], 1)) for net in (few, many))
    assert less
    assert more
    assert more > 3 * less


def test_a_metric_that_looks_at_some_examples_only_is_timed_at_so_many(
    network: MakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looks(network: object, dataset: Dataset, split: str, replicate: int, *, examples: int | None = 50) -> None:
        clock[0] += 3.0 + 0.01 * len(dataset.train) + 0.01 * len(dataset.split(split))

    clock = [0.0]
    monkeypatch.setitem(metrics._functions, "compression", looks)
    monkeypatch.setattr("autoreg.orchestrator.forecast.cost.time.process_time", lambda: clock[0])
    for options, seen in (({}, 50), ({"examples": 80}, 80), ({"examples": None}, 100)):
        costs, net = Costs(), network((Measurement("compression", 1, "test", options),))
        costs.time([net], 1.0)
        assert costs.timed[net.setup].known(measuring_key(net.config), (net.size[0], 1)) == pytest.approx(
            3 + 0.02 * seen
        )


def test_what_does_not_fit_is_left_out_but_for_the_smallest_of_each_kind(network: MakeNetwork) -> None:
    networks = [network(width=width) for width in (1.0, 0.25, 0.5)]
    other = network(optimizer=Choice(name="adam"))
    costs = Costs()
    costs.time([*networks, other], 0.0)
    assert [is_timed(costs, network) for network in networks] == [False, True, False]
    assert is_timed(costs, other)
    smallest, larger = costs.epoch(networks[1])[0], costs.epoch(networks[0])[0]
    assert smallest
    assert larger == pytest.approx(4 * smallest), "in proportion to the FLOPs"


def test_finished_trials_tell_more_than_steps(network: MakeNetwork) -> None:
    costs, net = Costs(), network()
    assert costs.epoch(net) == (None, None)
    costs.timed[net.setup].note(training_key(net.config), net.size, 2.0)
    assert costs.epoch(net) == (2.0, "steps timed here")
    costs.finished[net.setup].note(training_key(net.config), net.size, 3.0)
    assert costs.epoch(net) == (3.0, "finished trials")


def test_trials_that_run_beside_others_take_longer(network: MakeNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoreg.orchestrator.forecast.cost._time_training", lambda network: 2.0)
    for at_once, seconds in ((1, 2.0), (2, 2.0 * SLOWDOWN_BY_OTHERS)):
        costs, net = Costs(), network(at_once=at_once)
        costs.time([net], 1.0)
        assert costs.epoch(net)[0] == seconds


def test_what_goes_wrong_keeps_nothing_else_from_being_timed(network: MakeNetwork) -> None:
    costs, unknown = Costs(), network(network=Choice(name="nowhere"))
    costs.time([unknown, unknown, network()], 1.0)
    assert is_timed(costs, network())
    assert [line.split("' (")[0] for line in costs.problems.values()] == [
        f"{does} nowhere 1/4x: ConfigError: unknown network 'nowhere" for does in ("train", "measure")
    ]


def test_a_last_batch_that_cannot_be_trained_is_told(network: MakeNetwork) -> None:
    odd, even = (
        network(
            network=Choice(name="tests.helpers.unfit:build"),
            dataset=Choice(name="teacher", options={"train_size": size, "validation_size": 50, "test_size": 50}),
            batch_size=20,
        )
        for size in (101, 102)
    )
    costs = Costs()
    costs.time([even], 1.0)
    assert costs.problems == {}
    costs.time([odd], 1.0)
    [problem] = costs.problems.values()
    assert "ValueError: Expected more than 1 value per channel when training" in problem
