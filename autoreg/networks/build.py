"""A trial's network, with its weights not yet initialised."""

from collections.abc import Sequence

import torch

from autoreg.config.trial import TrialConfig
from autoreg.errors import ConfigError, with_kind
from autoreg.exits import told_exits
from autoreg.networks.network import Network, networks
from autoreg.networks.parametrization import scales
from autoreg.networks.pool_first import has_hooks


def build_network(config: TrialConfig, input_shape: Sequence[int], classes: int) -> Network:
    """Return the network of a trial, with its biases set and its weights not yet initialised.

    Args:
        config: names the network, its options, width and dropout.
        input_shape: shape of one example as the network sees it, for example (3, 32, 32).
        classes: number of logits.

    Raises:
        ConfigError: the network does not fit the inputs, its function does not return a `Network`, training would not
            run all that it computes, or it is not known how its parameters grow (`autoreg.networks.parametrization`).
    """
    build = networks[config.network.name]
    try:
        with told_exits():
            network = build(config.width, tuple(input_shape), classes, config.dropout, **config.network.options)
    except (TypeError, ValueError, AttributeError, SystemExit) as error:
        shape = "×".join(map(str, input_shape))
        reason = with_kind(error)
        raise ConfigError(
            f"network {config.network.name!r} cannot be built for inputs of {shape} and {classes} classes: {reason}"
        ) from error
    if not isinstance(network, Network):
        raise ConfigError(f"network {config.network.name!r} must return a Network, got {type(network).__name__}")
    is_other = type(network).forward is not Network.forward or has_hooks(network) or has_hooks(network.stages)
    if is_other and type(network).loss is Network.loss:  # which runs the stages, one after another
        raise ConfigError(
            f"network {config.network.name!r} has a `forward` or a hook of its own, which training does not run; "
            "make it a stage, or override `loss` too"
        )
    if config.parametrization == "mup":
        at = (config.model_copy(update={"parametrization": "standard", "width": width}) for width in (1.0, 2.0))
        network.scales = scales(network, *(unallocated_network(other, input_shape, classes) for other in at))
    return network


def unallocated_network(config: TrialConfig, input_shape: Sequence[int], classes: int) -> Network:
    """Return the network of a trial on the device `meta`: with all shapes, and no memory for any value.

    Raises:
        ConfigError: the network cannot be built, for whatever reason.
    """
    try:
        with torch.device("meta"):
            return build_network(config, input_shape, classes)
    except ConfigError:
        raise
    except Exception as error:  # sizes that no memory holds; and in a user's own function anything may go wrong
        raise ConfigError(f"network {config.network.name!r} cannot be built: {with_kind(error)}") from error


def parameter_count(config: TrialConfig, input_shape: Sequence[int], classes: int) -> int:
    """Return the number of trainable parameters of a trial's network; raises what `unallocated_network` does."""
    return trainable_parameters(unallocated_network(config, input_shape, classes))


def trainable_parameters(network: Network) -> int:
    """Return the number of parameters that are not frozen."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
