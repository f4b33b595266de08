"""Training AlexNet in bfloat16 on one thread of a CPU: as a sweep's worker does by the compiled kernel, and without.

python -m benchmarks.kernel
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack

import torch

from autoreg.networks.compiled import load_kernel
from autoreg.training.epoch import train_epoch
from autoreg.training.state import TrialState
from benchmarks.rows import Row, Times, ratio
from benchmarks.training import BATCH, config_of, random_images

#: Widths, and how many steps are timed together.
SIZES = ((0.25, 10), (0.5, 5), (1.0, 3))
REPETITIONS = 7
REACH = 2.1


def train(width: float, steps: int, has_kernel: bool) -> None:
    """Train an epoch for each line that comes in, and print the processor's seconds and the mean loss."""
    torch.set_num_threads(1)
    config, dataset = config_of("alexnet", width, "bfloat16"), random_images(steps * BATCH, "cpu")
    state, kernel = TrialState.fresh(config, dataset), load_kernel() if has_kernel else None
    if isinstance(kernel, str):
        raise SystemExit(kernel)
    state.set_kernel(kernel)
    for _ in sys.stdin:
        started = time.process_time()
        loss = train_epoch(config, dataset, state).train_loss
        print(time.process_time() - started, loss, flush=True)


def start(width: float, steps: int, has_kernel: bool, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start `train` in a process of its own, since malloc reads its settings when a process begins."""
    command = [sys.executable, "-m", "benchmarks.kernel", str(width), str(steps), "on" if has_kernel else "off"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1, env={**os.environ, **environment})


def ask(process: subprocess.Popen[str]) -> tuple[float, float]:
    """Return what `train` prints of its next epoch."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    seconds, loss = map(float, process.stdout.readline().split())
    return seconds, loss


def compare(width: float, steps: int) -> Row:
    """Return the row of a width: processes take turns, so that what else the machine does is shared by all."""
    from autoreg.orchestrator.ray_runtime.session import MALLOC

    what = f"training, alexnet {width:g}×, {steps} steps of {BATCH}, one thread, bfloat16"
    against = "neither the compiled kernel and the fused optimizer nor the workers' malloc"
    if isinstance(reason := load_kernel(), str):
        return Row(what, against, "", "", "", f"≥{REACH}×", None, reason)
    kinds: tuple[tuple[bool, Mapping[str, str]], ...] = ((True, MALLOC), (False, MALLOC), (False, {}))
    with ExitStack() as stack:
        processes = [stack.enter_context(start(width, steps, *kind)) for kind in kinds]
        rounds = [[ask(process) for process in processes] for _ in range(1 + REPETITIONS)]
    losses = [[loss for _, loss in each] for each in rounds]
    worst = max(abs(loss / each[-1] - 1) for each in losses for loss in each)
    if worst > 0.05:
        raise AssertionError(f"alexnet {width:g}×: the losses differ by {worst:.2%}: {losses}")
    # the first round compiles and allocates
    ours, without_kernel, plain = (
        Times([seconds for seconds, _ in column]) for column in zip(*rounds[1:], strict=True)
    )
    typical, text = ratio(ours, plain)
    images = steps * BATCH
    return Row(
        what, against,
        ours=f"{ours} of the processor, {images / ours.typical:,.0f} images/s",
        other=f"{plain}, {images / plain.typical:,.0f} images/s",
        ratio=text,
        reach=f"≥{REACH}×",
        reached=typical >= REACH,
        limit=f"kernel and optimizer alone {ratio(ours, without_kernel)[1]}, malloc alone "
        f"{ratio(without_kernel, plain)[1]}; losses agree to {worst:.1e}",
    )  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:]:
        train(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "on")
    else:
        for size in SIZES:
            compare(*size).emit()
