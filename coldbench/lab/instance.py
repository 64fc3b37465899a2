"""One instance of a function: its process, the end of its init, and the calls handed to it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from coldbench.core.function_spec import FunctionSpec
from coldbench.lab.announcement import Announcement
from coldbench.lab.call import Answer, InstanceLost
from coldbench.lab.clock import now_us
from coldbench.lab.launch import Launch, environment
from coldbench.lab.spawning import Spawner

INIT_TIMEOUT_S = 60.0


class Instance:
    """Compared and hashed by identity. Instants are epoch us, None while they have not come."""

    def __init__(self, spec: FunctionSpec, how: Launch, spawner: Spawner, folder: Path) -> None:
        self.identity = str(uuid4())
        self.in_flight = 0
        self.uses = 0
        self.spawned_us: int | None = None
        self.first_handed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[str] = self._loop.create_future()
        self._spec = spec
        self._how = how
        self._spawner = spawner
        self._seen_ready_us: int | None = None
        self._announcement = Announcement(folder / self.identity)

    def spawn(self, port: int, *, on_ready: Callable[[], None], on_exit: Callable[[str], None]) -> None:
        """Start the process. `on_ready` is called when it says itself that its init has ended."""

        def spawned(at_us: int) -> None:
            self.spawned_us = at_us

        def exited(code: int, words: str) -> None:
            reason = words.strip() or f"the process ended with code {code}"
            self._announcement.close()
            if not self.gone.done():
                self.gone.set_result(reason)
            on_exit(reason)

        self._announcement.listen(on_ready)
        self._spawner.start(
            self.identity,
            self._how.argv,
            {**environment(self._spec, self._how, port), "COLDBENCH_READY": str(self._announcement.path)},
            self._how.folder,
            spawned=spawned,
            exited=exited,
        )

    @property
    def ready_us(self) -> int | None:
        """The end of its init: as it says itself, else as the platform has seen it."""
        said_us = self._announcement.read()
        return self._seen_ready_us if said_us is None else said_us

    def seen_ready(self) -> None:
        """The platform has seen that it can take calls."""
        if self._seen_ready_us is None:
            self._seen_ready_us = now_us()

    @property
    def init_us(self) -> int | None:
        """From the start of the process to the end of init."""
        ready_us = self.ready_us
        return None if ready_us is None or self.spawned_us is None else ready_us - self.spawned_us

    def age_ns(self) -> int:
        """Since the start of the process."""
        return 0 if self.spawned_us is None else (now_us() - self.spawned_us) * 1000

    def kill(self) -> None:
        """Begin to end the process."""
        if self.spawned_us is not None:
            self._spawner.kill(self.identity)

    async def or_gone(self, answer: Awaitable[Answer]) -> Answer:
        """The answer, or InstanceLost when the process ends before it."""
        answering = asyncio.ensure_future(answer)
        either: set[asyncio.Future[Any]] = {answering, self.gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            return answering.result()
        answering.cancel()
        raise InstanceLost(self.gone.result())
