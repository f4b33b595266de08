"""Which modules are known by their class, and the order in which training runs a network's stages."""

from torch import nn

#: What pools each unit alone, and a unit of zeros to zeros.
POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def has_hooks(module: nn.Module) -> bool:
    """Whether calling a module does more than its class says: it has a hook, or a `forward` of its own."""
    return any(getattr(module, hooks) for hooks in _HOOKS) or "forward" in vars(module)


def is_pooling(module: nn.Module) -> bool:
    """Whether a module pools each unit alone, and does nothing else."""
    return type(module).forward in {kind.forward for kind in POOLING} and not has_hooks(module)


def pool_first(stages: nn.Sequential) -> list[nn.Module]:
    """Return the modules of stages, in the order in which they run, with each ReLU after the max-pooling behind it.

    Both grow with their input, so that they may change places: outputs and gradients are the same bits, and the ReLU
    has a quarter of the values to look at, or less. Only the activations between them, which are those that a metric
    sees, are not there. What has a hook stays as it is and where it is.
    """
    modules: list[nn.Module] = []
    for stage in stages:
        modules += stage if type(stage) is nn.Sequential and not has_hooks(stage) else [stage]
    for index in range(1, len(modules)):
        if is_plain(modules[index], nn.MaxPool2d) and is_plain(modules[index - 1], nn.ReLU):
            modules[index - 1], modules[index] = modules[index], modules[index - 1]
    return modules


def is_plain(module: nn.Module, kind: type[nn.Module]) -> bool:
    """Whether calling a module does what the class says, and nothing else."""
    return type(module) is kind and not has_hooks(module)
