"""A model, traced once: its sites, what their reads see, and the model with units masked or taken out."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from autoreg.errors import ConfigError, first_line
from autoreg.networks.given_model import require_logits
from autoreg.surgery.columns import NO_UNIT, Columns
from autoreg.surgery.find import find_sites
from autoreg.surgery.known import LOCAL_RESPONSE_NORMS
from autoreg.surgery.masked import axis_of, masked
from autoreg.surgery.narrow import Layout, entry_of, mend, narrow_like
from autoreg.surgery.operations import OUTPUT
from autoreg.surgery.sites import Cut, Mend, Read, Site
from autoreg.surgery.trace import trace
from autoreg.training.precision import precision_of

Cuts = Mapping[int, Cut]
Booleans = NDArray[np.bool_]

#: How far the logits of the narrower model may be off, in parts of the largest.
NEAR = {torch.float64: 1e-9, torch.float32: 1e-4}


class Anatomy:
    """A trained model of which units may be taken out.

    Args:
        model: in evaluation mode, of one input and one output, logits, [examples, classes]. It is not changed.
        example: one or more of its inputs, [examples, …], on its device.

    Attributes:
        sites: units that may be taken out together, or why they may not, in the order in which they are made.
        classes: number of logits.
        gives_logits: paths of the maps that make them.

    Raises:
        ConfigError: the model is in training mode, cannot be traced or run, or its logits are not finite.
    """

    sites: tuple[Site, ...]

    def __init__(self, model: nn.Module, example: Tensor) -> None:
        if any(module.training for module in model.modules()):
            raise ConfigError(
                f"{type(model).__name__} is in training mode; units are taken out of a model after eval()"
            )
        self.model, self.example = model, example
        self._traced = trace(model, example)
        self.classes = self._logits(model).shape[1]
        whole, roots = self._traced.units.whole(), self._traced.units.roots()
        self.gives_logits = {
            use.path
            for use in self._traced.uses
            if use.mixes and {whole.get(root) for root in roots[use.outputs.units].tolist()} == {OUTPUT}
        }
        self._roots = np.append(roots, NO_UNIT)  # what is no unit has the last place
        found = find_sites(model, self._traced)
        self.sites, self._units = tuple(found), list(found.values())

    @torch.inference_mode()
    def read_vectors(self, inputs: Tensor, take: Callable[[int, int, Tensor], None]) -> None:
        """Run the model once and hand what every read sees to `take`, as it comes: (site, read, vectors [n, units]).

        A vector is of one example and one position. Whole sites are left out.
        """

        def hook(reads: list[tuple[int, int]]) -> Callable[[nn.Module, tuple[Tensor]], None]:
            def look(module: nn.Module, given: tuple[Tensor]) -> None:
                values = given[0].movedim(axis_of(module), -1)
                for site, read in reads:
                    columns = self.sites[site].reads[read].columns().to(values.device)
                    take(site, read, values[..., columns].movedim(-2, -1).flatten(0, -2))

            return look

        reads: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for index, site in enumerate(self.sites):
            for read, each in enumerate(site.reads if site.whole is None else ()):
                reads[each.module].append((index, read))
        hooks = [self.model.get_submodule(path).register_forward_pre_hook(hook(each)) for path, each in reads.items()]
        try:
            self.model(inputs)
        finally:
            for handle in hooks:
                handle.remove()

    def weight(self, site: int, read: int) -> Tensor:
        """Return the weights by which a read sees a site, float64, [outputs, units, positions · kernel size]."""
        seen = self.sites[site].reads[read]
        weight = self.model.get_submodule(seen.module).weight
        assert isinstance(weight, Tensor)
        return weight.detach().double()[:, seen.columns()].flatten(2)

    def masked(self, cuts: Cuts) -> nn.Module:
        """Return the model at its own size, in which each read sees what stands for the units that were taken out.

        They are 0 where a local response normalisation looks at their neighbours.
        """
        reads = list(self._reads(cuts))
        seen = {path: kept for path, _, kept in self._kept(cuts) if self._is_norm(path)}
        return masked(self.model, reads, seen)

    def layout(self, cuts: Cuts) -> Layout:
        """Return what `narrow_like` needs to bring a fresh model to the narrower one's shapes; JSON can hold it."""
        offsets: dict[str, bool] = defaultdict(bool)
        pads: dict[str, bool] = {}
        for read, _, each in self._reads(cuts):
            offsets[read.module] |= bool(each.offset.any())
            pads[read.module] = read.pads
        modules = {}
        for path, inputs, outputs in self._kept(cuts):
            module = self.model.get_submodule(path)
            constant = offsets[path] and pads[path]
            modules[path] = entry_of(module, inputs, outputs, offsets[path] and not constant, constant)
        return {
            "kept": {self.sites[site].name: cut.kept.tolist() for site, cut in cuts.items()},
            "modules": modules,
            "without": self._not_called(),
        }

    def narrow(self, cuts: Cuts) -> nn.Module:
        """Return the model without the units that were taken out: of the same class, its modules really narrower.

        Raises:
            ConfigError: its logits of the example are not those of `masked`.
        """
        layout = self.layout(cuts)
        narrower = narrow_like(self.model, layout)
        reads: dict[str, list[tuple[Read, Cut, Mend]]] = defaultdict(list)
        for each in self._reads(cuts):
            reads[each[0].module].append(each)
        for path, found in reads.items():
            mend(narrower.get_submodule(path), self.model.get_submodule(path), layout["modules"][path], found)
        self._require_same(self.masked(cuts), narrower)
        return narrower

    def kept_after(self, stages: Sequence[str], cuts: Cuts) -> tuple[int, Tensor] | None:
        """Return which columns stay of what the first stages of a `Network` give: (dimension, indices).

        None if nothing is known of them, or if their values are not those of the intact model.
        """
        changed = {read.module for read, _, _ in self._reads(cuts)}
        changed.update(path for path, _, _ in self._kept(cuts) if self._is_norm(path))
        if (
            not stages
            or stages[-1] not in self._traced.stages
            or {path.split(".")[1] for path in changed} & set(stages)
        ):
            return None
        columns = self._traced.stages[stages[-1]]
        return columns.axis, self._left(columns, self._removed(cuts))

    def _kept(self, cuts: Cuts) -> Iterator[tuple[str, Tensor | None, Tensor]]:
        """Yield (path, inputs that stay, outputs that stay) of each module that is another one."""
        is_gone = self._removed(cuts)
        mended = {read.module for read, _, _ in self._reads(cuts)}
        for use in self._traced.uses:
            inputs = None if use.inputs is None else self._left(use.inputs, is_gone)
            outputs = self._left(use.outputs, is_gone)
            if use.path in mended or len(outputs) < len(use.outputs.units):
                yield use.path, inputs, outputs

    def _removed(self, cuts: Cuts) -> Booleans:
        """Return whether no module makes a unit any more, by its root; False for what is no unit."""
        is_gone = np.zeros(len(self._roots), bool)
        for site, cut in cuts.items():
            is_gone[self._units[site][cut.removed(self.sites[site].units).numpy()]] = True
        for use in self._traced.uses:
            for columns in (use.inputs, use.outputs):
                if columns is not None and is_gone[roots := self._roots[columns.units]].all():
                    # A branch that is concatenated with others has lost all: PyTorch has no layers of no units, so one
                    # stays, which nobody reads.
                    is_gone[roots[0]] = False
        return is_gone

    def _left(self, columns: Columns, is_gone: Booleans) -> Tensor:
        return torch.from_numpy(np.flatnonzero(~is_gone[self._roots[columns.units]]))

    def _is_norm(self, path: str) -> bool:
        return isinstance(self.model.get_submodule(path), LOCAL_RESPONSE_NORMS)

    def _reads(self, cuts: Cuts) -> Iterator[tuple[Read, Cut, Mend]]:
        """Yield what is done at each read. Raises ValueError if a cut does not fit its site."""
        for index, cut in cuts.items():
            site = self.sites[index]
            if site.whole is not None:
                raise ValueError(f"site {site.name} stays whole: {site.whole}")
            kept = cut.kept.tolist()
            if not kept or kept != sorted(set(kept)) or not 0 <= kept[0] <= kept[-1] < site.units:
                raise ValueError(f"site {site.name}: kept units are one or more of {site.units}, ascending, got {kept}")
            if len(kept) < site.units:
                for read, mend in zip(site.reads, cut.mends, strict=True):
                    yield read, cut, mend

    def _not_called(self) -> list[str]:
        """Return the paths of what evaluation does not run, such as an auxiliary classifier."""
        called = self._traced.called
        found: list[str] = []
        for path, module in self.model.named_modules():
            parts = path.split(".")
            above = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
            within = any(each == path or each.startswith(f"{path}.") for each in called)
            if path and not (within or above & called or above & set(found)) and module.state_dict():
                found.append(path)
        return found

    @torch.inference_mode()
    def _logits(self, model: nn.Module) -> Tensor:
        with precision_of("float32", self.example.device):
            logits: Tensor = model(self.example)
        require_logits(logits)
        if logits.dtype not in NEAR:
            raise ConfigError(f"a model must give logits of 32 or 64 bits, got {logits.dtype}")
        if not logits.isfinite().all():
            raise ConfigError(f"{type(self.model).__name__} gives logits that are not finite")
        return logits

    def _require_same(self, reference: nn.Module, narrower: nn.Module) -> None:
        try:
            expected, logits = self._logits(reference), self._logits(narrower)
        except RuntimeError as error:
            raise ConfigError(f"{type(narrower).__name__} cannot be narrower: {first_line(error)}") from error
        largest, off = float(expected.abs().max()), float((logits - expected).abs().max())
        if not off <= NEAR[expected.dtype] * largest:
            raise ConfigError(
                f"the narrower {type(narrower).__name__} gives other logits than the masked one, off by {off:.1e} "
                f"where the largest is {largest:.1e}"
            )
