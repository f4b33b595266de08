"""Our local response normalisation is PyTorch's, with TensorFlow's meaning of alpha."""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from autoreg.networks.normalization import LocalResponseNorm


def test_it_agrees_with_pytorchs_forward_and_backward() -> None:
    inputs = torch.randn(3, 24, 8, 8, generator=torch.Generator().manual_seed(0)) * 40
    ours, theirs = inputs.clone().requires_grad_(), inputs.clone().requires_grad_()
    expected = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1)(theirs)
    found = LocalResponseNorm()(ours)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    weights = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-5, atol=1e-5)


def test_its_gradient_is_right() -> None:
    inputs = torch.randn(
        2, 7, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True
    )
    assert gradcheck(LocalResponseNorm(alpha=0.3), (inputs,))


def test_a_single_channel_has_only_itself_in_its_window() -> None:
    inputs = torch.full((1, 1, 1, 1), 2.0)
    assert LocalResponseNorm(alpha=0.25)(inputs).item() == pytest.approx(2 / 2**0.75)


def test_its_gradient_has_the_layout_of_its_input_whatever_comes_behind_it() -> None:
    inputs = torch.randn(2, 6, 4, 4, generator=torch.Generator().manual_seed(0))
    layouts = {}
    for name, layout in (("channels last", torch.channels_last), ("channels first", torch.contiguous_format)):
        seen: list[torch.Tensor] = []
        given = inputs.clone(memory_format=layout).requires_grad_() * 1.0  # a step through which the gradient passes
        given.register_hook(seen.append)
        LocalResponseNorm()(given).flatten(1).square().sum().backward()
        assert seen[0].is_contiguous(memory_format=layout), name
        layouts[name] = seen[0]
    torch.testing.assert_close(*layouts.values())
