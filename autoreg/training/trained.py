"""A trained trial of a run folder: its data and its network, if both are what they were."""

from collections.abc import Sequence
from pathlib import Path

from autoreg.config.trial import TrialConfig
from autoreg.datasets import Dataset, build_dataset
from autoreg.errors import DataError
from autoreg.networks import Network
from autoreg.runs.folder import TrialFolder
from autoreg.runs.records import TrialResult
from autoreg.training.loop import load_network
from autoreg.training.reference import check_network

SAW_LESS = "trials of an earlier version are done if what it saw of their data's files fits: it saw less than this one"


def load_trained(
    folder: TrialFolder, root: Path | None = None, device: str = "cpu"
) -> tuple[TrialConfig, TrialResult, Dataset, Network]:
    """Return a trained trial's settings, result, data and network; `root` holds data, None stands for AUTOREG_DATA.

    Raises:
        DataError: it has no result, its checkpoint or its data is missing, damaged or other than it was, or its
            network does not compute what the trained one did.
    """
    config, result = folder.read_config(), folder.read_result()
    dataset = build_dataset(config, root, device)
    check_data(folder, result, dataset.fingerprints)
    network = load_network(config, folder, dataset)
    check_network(network, dataset, result)
    return config, result, dataset, network


def check_data(folder: TrialFolder, result: TrialResult, data: Sequence[str]) -> list[str]:
    """Return what is to be said of a trial's data: a line if the trial was of a version that saw less of it.

    Args:
        folder: its run folder.
        result: how it ended.
        data: the fingerprints of what is there now (`Dataset.fingerprints`).

    Raises:
        DataError: it was trained on other data.
    """
    trained_on = result.environment.get("data", data[0])
    if trained_on not in data:
        raise DataError(
            f"{folder.trial_id} was trained on other data ({trained_on}) than what is there now ({data[0]}); "
            f"`autoreg forget --sweep NAME` removes what a sweep has trained, --runs names another run folder"
        )
    return [] if trained_on == data[0] else [SAW_LESS]
