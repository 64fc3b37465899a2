"""The gateway's side of the spawner: start, kill, and hear what became of an instance."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence

At = Callable[[int], None]
Exited = Callable[[int, str], None]


class Spawner:
    """Owns the spawner process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._told: dict[str, tuple[At, Exited]] = {}
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    @classmethod
    async def launch(cls) -> "Spawner":
        """Start it."""
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "coldbench.lab.spawner"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=1 << 20,
            )
        )

    def start(
        self,
        identity: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: str,
        *,
        spawned: At,
        exited: Exited,
    ) -> None:
        """Start an instance's process.

        `spawned` is told when, in epoch us; `exited` the exit code and the last words.
        """
        self._told[identity] = spawned, exited
        self._say({"start": identity, "argv": list(argv), "env": dict(env), "cwd": cwd})

    def kill(self, identity: str) -> None:
        """SIGTERM, and SIGKILL where that does not end it soon."""
        self._say({"kill": identity})

    async def close(self) -> None:
        """End it; every instance goes with it."""
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()
        self._listening.cancel()

    def _say(self, message: Mapping[str, object]) -> None:
        assert self._process.stdin
        if not self._process.stdin.is_closing():
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _listen(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            match message:
                case {"spawned": identity, "at_us": at_us}:
                    self._told[identity][0](at_us)
                case {"exit": identity, "code": code, "words": words}:
                    self._told.pop(identity)[1](code, words)
