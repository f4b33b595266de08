"""A trial's identity: pinned by golden values, moved by everything that can change its result."""

import pickle
from collections.abc import Callable
from decimal import Decimal

import pytest
from pydantic import ValidationError

from autoreg.config.factors import exact_fraction, format_width, parse_fraction, scaled
from autoreg.config.trial import Choice, TrialConfig, canonical_json, measurement_id
from tests.helpers.another import with_another

MakeConfig = Callable[..., TrialConfig]


def test_ids_are_golden(config: MakeConfig) -> None:
    assert config().trial_id == "164906a06f0c9700-r0"
    assert measurement_id("ablation", 1, "test", {"samples": 1}) == "510169969e1a0fb3"


@pytest.mark.parametrize("field", sorted(TrialConfig.model_fields.keys() - {"replicate"}))
def test_every_field_that_can_change_the_result_changes_the_id(config: MakeConfig, field: str) -> None:
    assert with_another(config(), field).config_id != config().config_id


def test_replicates_share_the_config_id(config: MakeConfig) -> None:
    assert config(replicate=3).config_id == config().config_id
    assert config(replicate=3).trial_id == f"{config().config_id}-r3"


def test_a_config_survives_json(config: MakeConfig) -> None:
    made = config(initializer=Choice(name="normal", options={"sigma": 1e-5}))
    again = TrialConfig.model_validate_json(canonical_json(made))
    assert again == made
    assert again.trial_id == made.trial_id


def test_a_changed_copy_has_an_id_of_its_own(config: MakeConfig) -> None:
    trial = config()
    ids = {trial.trial_id, trial.model_copy(update={"epochs": 9}).trial_id, trial.model_copy(deep=True).trial_id}
    assert ids == {config().trial_id, config(epochs=9).trial_id}


def test_a_config_whose_id_was_asked_for_is_the_same_config(config: MakeConfig) -> None:
    asked, fresh = config(), config()
    assert asked.trial_id
    assert (asked, hash(asked), repr(asked), canonical_json(asked)) == (
        fresh,
        hash(fresh),
        repr(fresh),
        canonical_json(fresh),
    )
    assert asked.model_dump() == fresh.model_dump()
    again = pickle.loads(pickle.dumps(asked))
    assert (again, again.trial_id) == (fresh, fresh.trial_id)


def test_the_lr_batch_factor_multiplies_both(config: MakeConfig) -> None:
    made = config(learning_rate=0.01, batch_size=128, lr_batch_factor=0.25)
    assert made.effective_learning_rate == pytest.approx(0.0025)
    assert made.effective_batch_size == 32


@pytest.mark.parametrize(
    ("count", "factor", "product"),
    [
        (100, 0.29, 29), (100, 2.3, 230), (50, 0.58, 29), (64, 0.25, 16), (3, 1 / 3, 1), (300, 0.41, 123), (7, 0.5, 3),
        (55, 3 / 11, 15), (128, 0.29, 37), (10**7, 0.9999999, 9999999), (1, 1024.0, 1024), (5, 1, 5),
    ],
)  # fmt: skip
def test_a_count_times_a_factor_is_exact_and_rounded_down(count: int, factor: float, product: int) -> None:
    assert scaled(count, factor) == product


def test_every_decimal_factor_scales_as_decimals_do() -> None:
    for hundredths in range(1, 500):
        text = f"{hundredths / 100:.2f}"
        assert [scaled(count, float(text)) for count in range(1, 200)] == [
            int(Decimal(text) * count) for count in range(1, 200)
        ]
        assert exact_fraction(float(text)) == Decimal(text)


def test_a_batch_that_floats_made_one_too_small_is_another_trial_and_no_other_is(config: MakeConfig) -> None:
    old = config(batch_size=100, lr_batch_factor=0.29)
    new = old.with_exact_batch()
    assert (old.effective_batch_size, new.effective_batch_size) == (28, 29)  # as older records are read, and now
    assert old.trial_id != new.trial_id
    assert new.as_before() == old
    assert TrialConfig.model_validate_json(canonical_json(new)).trial_id == new.trial_id
    for factor in (0.25, 0.5, 1.0, 2.0, 4.0, 0.3):
        same = config(batch_size=100, lr_batch_factor=factor)
        assert same.with_exact_batch() is same
        assert new.model_copy(update={"lr_batch_factor": factor}).with_exact_batch() == same


@pytest.mark.parametrize(("text", "width"), [("1/4", 0.25), ("4", 4.0), (0.5, 0.5), (" 1 / 4 ", 0.25)])
def test_widths_are_written_as_fractions_or_numbers(text: object, width: float) -> None:
    assert parse_fraction(text) == width


def test_widths_are_shown_as_fractions() -> None:
    assert [format_width(width) for width in (0.25, 1.0, 1.5, 4.0)] == ["1/4", "1", "3/2", "4"]
    assert [format_width(width) for width in (0.01, 1.01, 2 / 3, 1 / 2000)] == ["0.01", "1.01", "2/3", "0.0005"]


@pytest.mark.parametrize(
    "change", [{"width": 0.0}, {"learning_rate": float("nan")}, {"epochs": "3"}, {"dropout": 1.0}, {"extra": 1}]
)
def test_a_config_is_strict(config: MakeConfig, change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        config(**change)
