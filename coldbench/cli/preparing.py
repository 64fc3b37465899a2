"""`run --prepare`: the user's command, which makes the targets cold, beside what follows the load."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from coldbench.core.target import Target
from coldbench.runs.prepare import prepare


class Preparation:
    """The command for one target after the other, before each round. Leaving the context ends it."""

    def __init__(self, command: str, targets: Sequence[Target], folder: Path) -> None:
        self._command = command
        self._targets = targets
        self._folder = folder
        self._pool = ThreadPoolExecutor(1)
        self._running: Future[bool] | None = None
        self._over = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._pool.shutdown()

    def begin(self) -> None:
        """Start it."""
        self._running = self._pool.submit(self._run)

    def ended(self) -> bool:
        """Whether it has ended since it began; says so once. Raises UsageError where it failed."""
        if self._running is None or not self._running.done():
            return False
        running, self._running = self._running, None
        return running.result()

    def _run(self) -> bool:
        return all(
            prepare(self._command, target, self._folder, self._over.is_set) for target in self._targets
        )
