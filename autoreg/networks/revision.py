"""What earlier versions computed otherwise: such a trial is another one, so that no id means two things."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import torch
from torch import nn

from autoreg.config.factors import exact_fraction
from autoreg.config.trial import TrialConfig
from autoreg.errors import ConfigError
from autoreg.networks.build import unallocated_network
from autoreg.networks.network import Network, ParameterKind, weight_of
from autoreg.networks.pool_first import POOLING, has_hooks, is_pooling
from autoreg.networks.sizes import units_as_before
from autoreg.seeds import generator_states


def is_revised(network: Network, config: TrialConfig, input_shape: Sequence[int], classes: int) -> bool:
    """Whether earlier versions built, initialised, decayed or measured another network, or drew otherwise for it.

    Args:
        network: of the trial, on the device `meta`.
        config: names the network, its width.
        input_shape: shape of one example as the network sees it.
        classes: number of logits.

    Raises:
        ConfigError: its weights cannot be initialised, the units of a layer are not known, or its function gives the
            same modules each time.
    """
    if ":" not in config.network.name:
        return _was_smaller(network, config, input_shape, classes)
    states = generator_states()  # which earlier versions did not seed
    _require_no_sharing(network, unallocated_network(config, input_shape, classes), config)
    is_other = _trains_otherwise(network) or _is_measured_otherwise(network, input_shape)
    return is_other or generator_states() != states or _was_smaller(network, config, input_shape, classes)


def _require_no_sharing(network: Network, other: Network, config: TrialConfig) -> None:
    """Raise ConfigError if two calls of a function gave what training changes: one trial would change the next."""

    def changed(built: Network) -> set[int]:
        frozen = {id(parameter) for parameter in built.parameters() if not parameter.requires_grad}
        return {id(each) for each in (*built.parameters(), *built.buffers())} - frozen

    if changed(network) & changed(other):
        raise ConfigError(
            f"network {config.network.name!r} gives the same module each time it is called, which one trial after "
            "another would train: make it within the function, or give a copy.deepcopy of it"
        )


def _was_smaller(network: Network, config: TrialConfig, input_shape: Sequence[int], classes: int) -> bool:
    """Whether a product of floats made one of its sizes smaller; of an exact width it makes none."""
    if Fraction(config.width) == exact_fraction(config.width):
        return False
    try:
        with units_as_before():
            before = unallocated_network(config, input_shape, classes)
    except ConfigError:  # it left no unit
        return True
    return [each.shape for each in network.parameters()] != [each.shape for each in before.parameters()]


def _trains_otherwise(network: Network) -> bool:
    """Whether other weights are drawn, for other sizes, or others decay: what has two dimensions counted as one."""
    parts = network._parts()
    weights = [id(parameter) for _, stage in parts for parameter in stage.parameters() if parameter.ndim >= 2]
    decayed = {
        id(parameter)
        for name, stage in parts
        if name in network.decayed
        for module in stage.modules()
        for parameter in module.parameters(recurse=False)
        if _kind_before(module, parameter) in network.decayed_kinds
    }
    maps = [module for _, module in network.maps()]
    return (
        weights != [id(module._parameters.get("weight")) for module in maps]
        or any(isinstance(module, nn.modules.conv._ConvTransposeNd) for module in maps)
        or not all(weight_of(module).requires_grad for module in maps)
        or decayed != {id(parameter) for parameter in network.decayed_parameters()}
        or (network.auxiliary is None and _skipped_hooks(network.stages))
    )


def _skipped_hooks(stages: nn.Sequential) -> bool:
    """Whether training ran past hooks: those of a stage of modules, or between a ReLU and max-pooling."""
    modules = [module for stage in stages for module in (stage if type(stage) is nn.Sequential else [stage])]
    return any(type(stage) is nn.Sequential and has_hooks(stage) for stage in stages) or any(
        type(first) in (nn.ReLU, nn.MaxPool2d)
        and type(second) is nn.MaxPool2d
        and (has_hooks(first) or has_hooks(second))
        for first, second in pairwise(modules)
    )


def _kind_before(module: nn.Module, parameter: nn.Parameter) -> ParameterKind:
    if parameter.ndim >= 2:
        return "weights"
    return "normalization" if isinstance(module, nn.modules.batchnorm._BatchNorm) else "biases"


@torch.inference_mode()
def _is_measured_otherwise(network: Network, input_shape: Sequence[int]) -> bool:
    """Whether a stage stands twice, of which one was left out, is pooling with a hook, or units are not dimension 1.

    What cannot be told, of a network that looks at values, counts as yes: a trial too many is no wrong one.
    """
    if len(list(network.stages.children())) < len(network.stages):
        return True
    if any(isinstance(stage, POOLING) and not is_pooling(stage) for stage in network.stages):
        return True
    try:
        with torch.device("meta"):
            layers = [layer for layer, _ in network.eval().walk(torch.empty(3, *input_shape))]
    except ConfigError:
        raise
    except Exception:  # in a user's own function anything may go wrong
        return True
    return any(network._unit_axis[layer] != 1 for layer in layers)
