"""The compiled kernel computes what the three modules compute, and is loaded only if nobody else can write it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from autoreg.networks import compiled
from autoreg.networks.compiled import COMPILER, NEEDED, Kernel, load_kernel
from autoreg.networks.cpu import cpu_flags
from autoreg.networks.fused import PoolReluNorm, fused
from autoreg.networks.normalization import LocalResponseNorm

pytestmark = pytest.mark.skipif(not cpu_flags().issuperset(NEEDED), reason="this CPU lacks instructions of the kernel")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of its own, in which no kernel is yet."""
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path))
    monkeypatch.setattr(compiled, "COMPILER", tuple(word.replace("-O3", "-O0") for word in COMPILER))  # which is quick
    load_kernel.cache_clear()
    yield tmp_path / "kernels"
    load_kernel.cache_clear()


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    found = load_kernel()
    assert isinstance(found, Kernel), found
    return found


def modules(alpha: float = 2e-3) -> list[nn.Module]:
    return [nn.MaxPool2d(3, 2, ceil_mode=True), nn.ReLU(), LocalResponseNorm(alpha=alpha)]


def passed(module: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """The outputs, and the gradient of a weighted sum of them."""
    given = inputs.clone().requires_grad_()
    outputs = module(given)
    weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1)).bfloat16()
    (outputs * weights.to(outputs.dtype)).sum().backward()
    assert given.grad is not None
    return outputs.detach(), given.grad


SIZES = [(4, 24, 16, 16), (3, 96, 8, 8), (2, 5, 7, 6), (2, 17, 2, 3), (1, 1, 4, 4), (3, 33, 5, 9), (0, 4, 4, 4)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format], ids=str)
def test_outputs_and_gradients_are_those_of_the_modules_in_float32(
    kernel: Kernel, size: tuple[int, ...], layout: torch.memory_format
) -> None:
    inputs = (torch.randn(size, generator=torch.Generator().manual_seed(0)) * 10).contiguous(memory_format=layout)
    expected = passed(nn.Sequential(*modules()), inputs)
    found = passed(PoolReluNorm(modules(), kernel), inputs)
    for one, other in zip(found, expected, strict=True):
        scale = float(other.abs().max()) if other.numel() else 1.0
        torch.testing.assert_close(one, other, rtol=0, atol=3e-7 * scale)
        assert one.shape == other.shape


@pytest.mark.parametrize("size", SIZES[:3], ids=str)
def test_bfloat16_is_the_exact_value_rounded_once(kernel: Kernel, size: tuple[int, ...]) -> None:
    inputs = (torch.randn(size, generator=torch.Generator().manual_seed(0)) * 10).bfloat16()
    exact = passed(nn.Sequential(*modules()), inputs.double())
    found = passed(PoolReluNorm(modules(), kernel), inputs)
    for one, other in zip(found, exact, strict=True):
        assert one.dtype == torch.bfloat16
        # Half of a unit in the last of 8 bits; where terms cancel, of the largest.
        torch.testing.assert_close(one.double(), other, rtol=2**-8, atol=1e-6 * float(other.abs().max()))


def test_what_is_not_a_number_comes_out_as_the_modules_let_it(kernel: Kernel) -> None:
    inputs = torch.randn(2, 20, 8, 8, generator=torch.Generator().manual_seed(0))
    for index, value in enumerate((float("nan"), float("inf"), -float("inf"))):
        inputs[0, 5 * index, index, index] = value
    inputs[1, 3] = -float("inf")
    for one, other in zip(
        passed(PoolReluNorm(modules(), kernel), inputs), passed(nn.Sequential(*modules()), inputs), strict=True
    ):
        torch.testing.assert_close(one, other, equal_nan=True)


def test_equal_maxima_give_their_gradient_to_the_same_place(kernel: Kernel) -> None:
    inputs = torch.randint(0, 3, (3, 6, 9, 8), generator=torch.Generator().manual_seed(0)).float()
    torch.testing.assert_close(
        passed(PoolReluNorm(modules(), kernel), inputs)[1], passed(nn.Sequential(*modules()), inputs)[1]
    )


def test_inputs_of_another_type_pass_the_modules(kernel: Kernel) -> None:
    inputs = torch.randn(2, 6, 6, 6, dtype=torch.float64)
    assert torch.equal(PoolReluNorm(modules(), kernel)(inputs), nn.Sequential(*modules())(inputs))


@pytest.mark.parametrize(
    "other",
    [
        [nn.MaxPool2d(2, 2, ceil_mode=True), *modules()[1:]],
        [nn.MaxPool2d(3, 2), *modules()[1:]],
        [nn.MaxPool2d(3, 2, padding=1, ceil_mode=True), *modules()[1:]],
        [modules()[0], nn.ReLU6(), modules()[2]],
        [modules()[0], nn.ReLU(), LocalResponseNorm(radius=1)],
        [modules()[0], nn.ReLU(), nn.LocalResponseNorm(5)],
        [modules()[0], nn.ReLU(), nn.Identity(), modules()[2]],
    ],
    ids=str,
)
def test_other_modules_stay_as_they_are(kernel: Kernel, other: list[nn.Module]) -> None:
    assert fused(other, kernel) == other


def test_modules_with_a_hook_stay_as_they_are_and_others_become_one(kernel: Kernel) -> None:
    head, *three, tail = nn.Identity(), *modules(), nn.Flatten()
    first, one, last = fused([head, *three, tail], kernel)
    assert (first, type(one), last) == (head, PoolReluNorm, tail)
    three[1].register_forward_hook(lambda *_: None)
    assert fused(three, kernel) == three


def test_the_compiled_file_is_private_and_found_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(load_kernel(), Kernel)
    [file] = cache.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (cache, file)] == [0o700, 0o700]
    load_kernel.cache_clear()
    monkeypatch.setenv("PATH", os.devnull)  # without a compiler
    assert isinstance(load_kernel(), Kernel)


def test_a_file_that_was_changed_or_that_others_may_write_is_compiled_anew(cache: Path) -> None:
    assert isinstance(load_kernel(), Kernel)
    [file] = cache.iterdir()
    content = file.read_bytes()

    def damage() -> None:
        file.unlink()  # this process runs what is in it
        file.write_bytes(content[:-100])
        file.chmod(0o700)

    for spoil in (
        damage,
        lambda: file.chmod(0o777),
        lambda: (file.rename(cache / "planted"), file.symlink_to(cache / "planted")),
    ):
        spoil()
        load_kernel.cache_clear()
        assert isinstance(load_kernel(), Kernel)
        assert file.read_bytes() == content
        assert stat.S_IMODE(file.lstat().st_mode) == 0o700


def test_a_folder_that_others_may_write_is_refused(cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    assert load_kernel() == f"{cache} is not a folder that only you can write and read (0700)"
    assert list(cache.iterdir()) == []


def test_without_a_compiler_or_the_instructions_there_is_none(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PATH", os.devnull)
        assert load_kernel() == "there is no C compiler cc"
    load_kernel.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(compiled, "COMPILER", ("cc", "-no-such-option"))
        assert "no-such-option" in str(load_kernel())
    load_kernel.cache_clear()
    monkeypatch.setattr(compiled, "cpu_flags", lambda: frozenset({"avx512f"}))
    assert load_kernel() == "this CPU has no avx512_bf16"
    assert not list(cache.glob("*.so"))
