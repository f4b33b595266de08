"""A trial in words, for people."""

from autoreg.config.factors import format_width
from autoreg.config.trial import Choice, TrialConfig
from autoreg.errors import duration
from autoreg.runs.records import TrialResult


def describe(config: TrialConfig) -> str:
    """Return a trial in a few words: `alexnet 1/4x he_normal lr 0.01 bs 128 r0`."""
    words = [str(config.network), f"{format_width(config.width)}x", *settings_of(config)]
    words += [f"lr {config.effective_learning_rate:.4g}", f"bs {config.effective_batch_size}"]
    return " ".join([*words, kind_of(config)])


def outcome(config: TrialConfig, result: TrialResult) -> str:
    """Return a finished trial in one line; see `ending`."""
    return f"{result.status} {describe(config)}: {ending(result)}"


def ending(result: TrialResult) -> str:
    """Return why a trial failed; else its accuracy on the validation split, its epochs and how long they took."""
    if result.status == "failed":
        return (result.error or "no reason given").splitlines()[0]
    accuracy = "" if result.validation_accuracy is None else f"{result.validation_accuracy:.1%}, "
    return f"{accuracy}{result.epochs_run} epoch{'s' * (result.epochs_run != 1)}, {duration(result.seconds)}"


def settings_of(config: TrialConfig) -> list[str]:
    """Return what tells a trial from others of its network and width, beside its learning rate and batch size."""
    words = (
        (config.optimizer, config.optimizer != Choice(name="momentum")),
        ("augmentation", config.augmentation),
        (f"dropout {config.dropout:g}", config.dropout),
        (f"decay {config.weight_decay:g}", config.weight_decay),
        ("random labels", config.random_labels),
        ("mup", config.parametrization == "mup"),
        (f"richness {config.richness}", config.richness),
    )
    return [str(config.initializer), *(str(word) for word, on in words if on)]


def kind_of(config: TrialConfig) -> str:
    """Return `tuning`, or the replicate of a final trial: `r0`."""
    return "tuning" if config.kind == "tune" else f"r{config.replicate}"
