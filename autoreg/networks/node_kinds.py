"""What a node of a traced model does: multiply by weights, end a layer, or neither."""

from operator import attrgetter

from torch import Tensor, fx, nn

from autoreg.networks.activations import ACTIVATION_FUNCTIONS, ACTIVATION_METHODS, ACTIVATION_MODULES
from autoreg.networks.network import MAPS as PLAIN_MAPS
from autoreg.networks.network import NORMALIZATIONS
from autoreg.networks.unit_axis import MAPS

#: What stands between the weights of two layers and ends none: it moves, adds, scales, pools, normalizes or drops.
_FILES = {
    "pooling", "dropout", "flatten", "padding", "batchnorm", "instancenorm", "normalization", "upsampling",
    "pixelshuffle", "channelshuffle", "fold",
}  # fmt: skip
_PASSIVE = {
    "view", "reshape", "flatten", "unflatten", "ravel", "squeeze", "unsqueeze", "permute", "transpose", "swapaxes",
    "swapdims", "movedim", "moveaxis", "t", "contiguous", "expand", "repeat", "chunk", "split", "unbind", "getitem",
    "narrow", "select", "cat", "concat", "concatenate", "stack", "pad", "interpolate", "upsample", "roll", "flip",
    "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "unfold", "fold",
    "add", "sub", "neg", "iadd", "isub", "add_", "sub_", "mean", "sum", "to", "float", "double", "half", "bfloat16",
    "type_as", "clone", "detach", "zeros", "ones", "zeros_like", "ones_like", "new_zeros", "new_ones", "arange",
    "normalize", "local_response_norm", "stochastic_depth", "drop_path", "getattr",
}  # fmt: skip
_PASSIVE_STARTS = (
    "max_pool", "avg_pool", "lp_pool", "adaptive_max_pool", "adaptive_avg_pool", "fractional_max_pool", "batch_norm",
    "layer_norm", "group_norm", "instance_norm", "rms_norm", "dropout", "alpha_dropout", "feature_",
)  # fmt: skip
#: Of these, what is no factor but another activation makes a function of it.
_FACTORS = {"mul", "imul", "mul_", "multiply", "truediv", "itruediv", "div", "div_", "divide"}


def is_map(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node multiplies by weights: a module with a matrix, or a function of one, known or not."""
    if node.op == "call_module":
        module = traced.get_submodule(str(node.target))
        is_matrix = any(parameter.ndim >= 2 for parameter in module.parameters())
        is_quantized = type(module).__module__.startswith("torch.ao.nn.quantized")  # which has no parameters
        return is_quantized or (bool(is_matrix) and not isinstance(module, NORMALIZATIONS))
    name = name_of(node)
    if name in MAPS:
        return True
    if name in _PASSIVE or name.startswith(_PASSIVE_STARTS) or is_activation(traced, node) or _is_kept(node):
        return False
    return any(_is_matrix(traced, source) for source in node.all_input_nodes)


def _is_kept(node: fx.Node) -> bool:
    """Whether a node is a tensor of the model's, or computed of such alone."""
    sources = node.all_input_nodes
    return node.op == "get_attr" or (bool(sources) and all(map(_is_kept, sources)))


def _is_matrix(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node is a tensor of the model's with two dimensions or more, or computed of such."""
    if node.op == "get_attr":
        kept = attrgetter(str(node.target))(traced)
        return isinstance(kept, Tensor) and sum(size > 1 for size in kept.shape) > 1
    return _is_kept(node) and any(_is_matrix(traced, source) for source in node.all_input_nodes)


def is_activation(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node is a function of torch's that ends a layer."""
    if node.op == "call_module":
        return isinstance(traced.get_submodule(str(node.target)), ACTIVATION_MODULES)
    return node.target in (ACTIVATION_FUNCTIONS if node.op == "call_function" else ACTIVATION_METHODS)


def is_plain(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether it is known that a node ends no layer: it multiplies by weights only, or stands between layers."""
    if node.op == "call_module":
        module = traced.get_submodule(str(node.target))
        plain = (*PLAIN_MAPS, *NORMALIZATIONS, nn.Embedding, nn.EmbeddingBag, nn.Bilinear, nn.Identity)
        home, _, file = type(module).__module__.rpartition(".")
        return isinstance(module, plain) or (home == "torch.nn.modules" and file in _FILES)
    name = name_of(node)
    if name in _FACTORS:
        return sum(isinstance(factor, fx.Node) and factor.op != "get_attr" for factor in node.args) < 2
    return name in MAPS or name in _PASSIVE or name.startswith(_PASSIVE_STARTS)


def function_of(traced: fx.GraphModule, node: fx.Node) -> str:
    """Return what a node runs: the class of its module, or the name of its function."""
    return type(traced.get_submodule(str(node.target))).__name__ if node.op == "call_module" else name_of(node)


def place_of(node: fx.Node) -> str:
    """Return where a node stands in the model: its module, or its own name in the module that runs it."""
    if node.op == "call_module":
        return str(node.target)
    inside: str = next(reversed(node.meta.get("nn_module_stack") or [""]))
    return f"{inside}.{node.name}" if inside else node.name


def name_of(node: fx.Node) -> str:
    """Return the name of what a node calls."""
    return str(getattr(node.target, "__name__", node.target))
