"""With how many bits sums of products are computed while a trial trains."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def precision_of(precision: str, device: torch.device) -> Iterator[None]:
    """Compute with a precision inside, and as before after; PyTorch's own default for convolutions is TF32.

    Args:
        precision: `float32` as IEEE has it; `tf32` rounds the factors of matrix products and convolutions to 10 bits of
            mantissa, on GPUs that can; `bfloat16` computes these with 7 bits, and what needs more (losses,
            normalisation, weights and their updates) in float32.
        device: on which it is computed.
    """
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = precision != "float32"
    try:
        # Without a cache, which would go on with the rounded weights of the first step.
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=False):
            yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before
