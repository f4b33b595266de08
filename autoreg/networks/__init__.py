"""Networks: one family a file; dropping a file with a registered function here adds a network."""

from autoreg.networks.auxiliary import Auxiliary
from autoreg.networks.build import build_network, parameter_count, trainable_parameters, unallocated_network
from autoreg.networks.flops import forward_flops
from autoreg.networks.network import Network, networks
from autoreg.networks.sizes import units
from autoreg.registry import load_folder

load_folder(__name__, __path__)

__all__ = [
    "Auxiliary",
    "Network",
    "build_network",
    "forward_flops",
    "networks",
    "parameter_count",
    "trainable_parameters",
    "unallocated_network",
    "units",
]
