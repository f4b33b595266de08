"""Ctrl-C once: finish what is in flight. Twice: stop now."""

import signal
from collections.abc import Callable
from threading import current_thread, main_thread
from types import FrameType
from typing import Any


class StopOnSignal:
    """While it is entered, the first Ctrl-C or SIGTERM calls `request`, and the second raises KeyboardInterrupt.

    In another thread than the main one, which alone gets signals, it changes nothing.
    """

    def __init__(self, request: Callable[[], None]) -> None:
        self._request = request
        self._is_stopping = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM) if current_thread() is main_thread() else ():
            self._before[number] = signal.signal(number, self._on_signal)

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._is_stopping:
            raise KeyboardInterrupt
        self._is_stopping = True
        self._request()
