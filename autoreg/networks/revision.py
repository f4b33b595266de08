"""What earlier versions computed otherwise: such a trial is another one, so that no id means two things."""

from autoreg.config.trial import exact_fraction
from autoreg.networks.network import Network


def is_revised(network: Network, width: float) -> bool:
    """Whether earlier versions built another network: a product of floats made one of its sizes one too small.

    That happens only where the exact product is whole.

    Args:
        network: as this version builds it, on any device.
        width: its width factor.
    """
    sizes = {size for parameter in network.parameters() for size in parameter.shape}
    bases = {size: size / exact_fraction(width) for size in sizes}
    return any(base.denominator == 1 and int(base.numerator * width) < size for size, base in bases.items())
