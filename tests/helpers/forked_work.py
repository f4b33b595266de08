"""What a forked process of a sweep does; it imports no more than a worker of Ray does, or each fork would."""

import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import torch._dynamo  # noqa: F401 - else the first optimizer would, in each fork

import autoreg.training.loop  # noqa: F401
from autoreg.orchestrator.jobs import BundleJob, MeasuringJob
from autoreg.orchestrator.ray_runtime import worker


def do(
    work: Callable[..., None],
    answer: Connection,
    job: BundleJob | MeasuringJob,
    here: Path,
    environment: dict[str, str],
) -> None:
    """Do a job where the sweep runs, and in its environment: a fork begins with what there was at the first one."""
    os.chdir(here)
    os.environ.update(environment)
    work(answer, job)


def train(reports: Connection, job: BundleJob) -> None:
    worker.train(job, worker.Reporter(reports.send))


def measure(answer: Connection, job: MeasuringJob) -> None:
    try:
        worker.measure(job)
    except Exception as error:
        answer.send(error)
    else:
        answer.send(None)
