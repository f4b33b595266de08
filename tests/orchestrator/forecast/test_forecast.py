"""A forecast by finished trials alone is arithmetic; one by real steps knows every setting."""

from collections.abc import Callable

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import TrialConfig
from autoreg.networks.compiled import Kernel
from autoreg.orchestrator.forecast.forecast import (
    BYTES_OF_A_MEASUREMENT,
    BYTES_OF_A_TRIAL,
    BYTES_OF_AN_EPOCH,
    SECONDS_OF_RAY,
    SECONDS_OF_TUNE,
    Forecast,
    forecast,
)
from autoreg.orchestrator.jobs import Machine
from autoreg.orchestrator.plan import make_plan
from autoreg.runs.folder import Runs
from tests.helpers.image_trials import images
from tests.helpers.searching import next_of

Small = Callable[..., LoadedSweep]
Took = Callable[..., None]

UNTUNED = ("tune=null", "training.patience=null")


def without_steps(runs: Runs, *sweeps: LoadedSweep, cores: int = 2) -> Forecast:
    return forecast([make_plan(one) for one in sweeps], runs, 0.0, Machine(cores))


def finals(loaded: LoadedSweep) -> list[TrialConfig]:
    return [config for group, _ in make_plan(loaded).groups for config in group.final_trials({})]


def test_without_steps_and_without_finished_trials_nothing_is_known(small: Small, runs: Runs) -> None:
    nothing = without_steps(runs, small())
    assert (nothing.seconds, nothing.backtest, nothing.sweeps[0].seconds) == (None, [], None)
    assert [group.epoch_seconds_from for group in nothing.sweeps[0].settings] == [None, None]
    assert not runs.root.exists()


def test_finished_trials_tell_how_long_the_others_take(small: Small, runs: Runs, took: Took) -> None:
    loaded = small(*UNTUNED, "replicates=4")
    for config in finals(loaded):
        if config.replicate == 0:
            took(config, 10.0 if config.width == 0.5 else 2.0)
    [sweep] = without_steps(runs, loaded).sweeps
    assert [group.epoch_seconds for group in sweep.settings] == [10, 2]
    assert {group.epoch_seconds_from for group in sweep.settings} == {"finished trials"}
    # Of each width 3 trials of 3 epochs are left; Tune adds its own to each.
    assert sweep.settings[0].worker_seconds == pytest.approx(3 * (10 * 3 + SECONDS_OF_TUNE))
    work = 3 * 12 * 3 + 6 * SECONDS_OF_TUNE
    assert sweep.seconds == pytest.approx(work / 2 + SECONDS_OF_RAY)
    assert [group.trials_at_once for group in sweep.settings] == [2, 2]
    [alone] = without_steps(runs, loaded, cores=1).sweeps
    assert alone.seconds == pytest.approx(work + SECONDS_OF_RAY)


def test_a_sweep_takes_at_least_as_long_as_its_longest_row_of_trials(small: Small, runs: Runs, took: Took) -> None:
    loaded = small("grid.width=[1/2]", "grid.epochs=[1, 3]", "training.patience=null")
    took(finals(small("grid.width=[1/2]", "tune=null"))[0], 10.0)
    # 5 tuning trials of 4 epochs, the first 3 at once; then final ones of 1 epoch, and of 2 more.
    [sweep] = without_steps(runs, loaded, cores=64).sweeps
    assert sweep.seconds == pytest.approx(10 * (3 * 4 + 3) + 3 * SECONDS_OF_TUNE + SECONDS_OF_RAY)
    assert sweep.settings[0].worker_seconds == pytest.approx(10 * (5 * 4 + 2 * 3) + 9 * SECONDS_OF_TUNE)


def test_trials_of_another_device_or_of_more_threads_tell_nothing(small: Small, runs: Runs, took: Took) -> None:
    loaded = small(*UNTUNED, "grid.width=[1/2]", "replicates=3")
    first, second, _ = finals(loaded)
    took(first, 10.0, device="NVIDIA T4")
    took(second, 10.0, threads="2")
    assert without_steps(runs, loaded).seconds is None


def test_trials_tell_nothing_of_others_if_only_these_had_the_compiled_kernel(
    small: Small, runs: Runs, took: Took, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (f"dataset={{name: {images.__name__}}}", "training.batch_size=5", "grid.width=[1/8]", "network=alexnet")
    loaded = small(*UNTUNED, *data, "replicates=2")
    without = small(*UNTUNED, *data, "replicates=2", "resources.kernel=off")
    first, _ = finals(loaded)
    monkeypatch.setattr("autoreg.orchestrator.forecast.forecast.load_kernel", lambda: "no kernel")
    for kernel, is_known in (("on", False), ("off: no kernel", True)):
        took(first, 10.0, kernel=kernel)
        assert (without_steps(runs, without).seconds is not None) == is_known
        assert (without_steps(runs, loaded).seconds is not None) == is_known
    monkeypatch.setattr("autoreg.orchestrator.forecast.forecast.load_kernel", lambda: Kernel.__new__(Kernel))
    assert without_steps(runs, loaded).seconds is None
    assert without_steps(runs, without).seconds is not None
    took(first, 10.0, kernel="on")
    assert without_steps(runs, loaded).seconds is not None


def test_trials_of_other_sweeps_tell_if_they_are_like_these(small: Small, runs: Runs, took: Took) -> None:
    [other] = finals(small(*UNTUNED, "grid.width=[1/2]", "grid.initializer=[glorot_uniform]", "replicates=1"))
    took(other, 10.0)
    loaded = small(*UNTUNED, "grid.width=[1/2]")
    assert without_steps(runs, loaded).seconds == pytest.approx(10 * 3 + SECONDS_OF_TUNE + SECONDS_OF_RAY)
    assert without_steps(runs, small(*UNTUNED, "grid.width=[1/2]", "training.optimizer=adam")).seconds is None


def test_the_second_sweep_takes_only_what_the_first_has_not_done(small: Small, runs: Runs, took: Took) -> None:
    loaded = small(*UNTUNED, "grid.width=[1/2]", "replicates=3")
    took(finals(loaded)[0], 10.0)
    result = without_steps(runs, loaded, loaded, small(*UNTUNED, "grid.width=[1/2]", "replicates=4"))
    one = 10 * 3 + SECONDS_OF_RAY
    # Two trials on two cores, of which Tune adds to each; nothing; one trial.
    assert [sweep.seconds for sweep in result.sweeps] == [pytest.approx(one + SECONDS_OF_TUNE), 0, pytest.approx(one)]
    assert result.seconds == pytest.approx(2 * one + SECONDS_OF_TUNE)


def test_steps_tell_of_every_setting_and_how_good_that_is(small: Small, runs: Runs, took: Took) -> None:
    loaded = small("grid.width=[1/4,1,4]")
    plan = make_plan(loaded)
    schedule = plan.schedule(runs)
    job = next_of(schedule, runs)
    assert job is not None
    before = forecast([plan], runs, 10.0, Machine(1))
    said = before.sweeps[0].settings[0].epoch_seconds
    assert before.backtest == []
    assert said is not None
    assert before.sweeps[0].seconds is not None
    took(job.config, 1000 * said)
    after = forecast([plan], runs, 10.0, Machine(1))
    [ratio] = after.backtest
    assert 50 < ratio < 20_000, "about 1000 times as long as was said"
    settings = after.sweeps[0].settings
    assert settings[0].epoch_seconds == pytest.approx(1000 * said)
    sources = ["finished trials", "steps timed here", "steps timed here"]
    assert [setting.epoch_seconds_from for setting in settings] == sources
    assert [setting.done_trials for setting in settings] == [1, 0, 0]
    assert all(setting.worker_seconds for setting in settings)


def test_disk_is_what_checkpoints_records_and_measurements_take(small: Small, runs: Runs) -> None:
    [sweep] = without_steps(runs, small(*UNTUNED, "grid.width=[1/2]", "replicates=1")).sweeps
    checkpoint = 4 * (10 * 64 + 64 + 64 * 2 + 2)  # 64 units on 10 inputs and 2 classes
    assert sweep.disk_bytes == checkpoint + BYTES_OF_A_TRIAL + 3 * BYTES_OF_AN_EPOCH + 2 * BYTES_OF_A_MEASUREMENT


@pytest.mark.parametrize(
    ("flags", "network", "settings", "faster"),
    [
        ({"avx512_bf16"}, "alexnet", (), "bfloat16"),
        ({"amx_bf16"}, "alexnet", (), "bfloat16"),
        ({"avx512f"}, "alexnet", (), None),
        ({"amx_bf16"}, "alexnet", ("training.precision=bfloat16",), None),
        ({"amx_bf16"}, "alexnet", ("grid.richness=[1]",), None),  # with which bfloat16 is refused
        ({"amx_bf16"}, "mlp", (), None),
    ],
)
def test_a_precision_that_would_pay_on_this_cpu_is_named(
    small: Small, runs: Runs, monkeypatch: pytest.MonkeyPatch, flags: set[str], network: str,
    settings: tuple[str, ...], faster: str | None,
) -> None:  # fmt: skip
    monkeypatch.setattr("autoreg.orchestrator.forecast.forecast.cpu_flags", lambda: flags)
    data = (f"dataset={{name: {images.__name__}}}", "training.batch_size=5")
    loaded = small(*UNTUNED, *data, f"network={network}", *settings)
    assert {group.faster_precision for group in without_steps(runs, loaded).sweeps[0].settings} == {faster}
