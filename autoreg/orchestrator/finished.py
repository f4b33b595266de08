"""The line on each trial that has ended: what tells it from others of its sweep; what they share is said once."""

from collections import defaultdict
from collections.abc import Sequence

from autoreg.config.factors import format_width
from autoreg.config.group import Group
from autoreg.config.series import labels_of
from autoreg.config.trial import TrialConfig
from autoreg.runs.describe import ending, kind_of, settings_of
from autoreg.runs.records import TrialResult

Variants = tuple[str | None, ...]


class FinishedLines:
    """What is said of the trials of some groups, in 80 columns with the count before it unless names are long."""

    def __init__(self, groups: Sequence[Group]) -> None:
        named = defaultdict[str, list[Group]](list)
        for group in groups:
            named[_name(group.variants)].append(group)
        self._varying = {name: _varying(own) for name, own in named.items()}
        #: A line for each variant, or one for a sweep without: what its trials share.
        self.shared = [f"{name or 'all trials'}: {_shared(own, self._varying[name])}" for name, own in named.items()]

    def of(self, config: TrialConfig, variants: Variants, result: TrialResult) -> str:
        """Return the line on a trial of a group with such variants."""
        name, words = _name(variants), _words(config)
        told = [name, f"{format_width(config.width)}x", *(words[key] for key in words if key in self._varying[name])]
        status = "tuned" if (config.kind, result.status) == ("tune", "done") else result.status
        kind = "" if status in ("tuned", "pruned") else kind_of(config)  # only tuning trials are pruned
        return f"{' '.join(filter(None, [status, *told, kind]))}: {ending(result)}"


def _name(variants: Variants) -> str:
    return " and ".join(filter(None, variants))


def _words(config: TrialConfig) -> dict[str, str]:
    rate = config.effective_learning_rate
    shortest = min(f"{rate:.3g}", f"{rate:.2e}".replace("e-0", "e-"), key=len)
    return labels_of(config) | {"lr": f"lr {shortest}", "bs": f"bs {config.effective_batch_size}"}


def _varying(groups: Sequence[Group]) -> set[str]:
    words = [_words(group.template) for group in groups]
    varying = {key for key in words[0] if len({each[key] for each in words}) > 1}
    for group in groups:
        has_factors = group.factors != (1.0,)
        for key, space in (("lr", "learning_rate"), ("bs", "batch_size")):
            if has_factors or (group.tune and getattr(group.tune.space, space)):
                varying.add(key)
    return varying


def _shared(groups: Sequence[Group], varying: set[str]) -> str:
    words = [[str(group.template.network), *settings_of(group.template)] for group in groups]
    shared = [word for word in words[0] if all(word in each for each in words)]
    rates = [text for key, text in _words(groups[0].template).items() if key in {"lr", "bs"} - varying]
    return " ".join([*shared, *rates])
