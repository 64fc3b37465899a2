"""The engine and its writer, as processes: started, listened to, stopped."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from coldbench.core.crew import Join, Lead
from coldbench.core.errors import ColdbenchError
from coldbench.core.messages import (
    Failed,
    Finished,
    FrameReader,
    Go,
    Joined,
    Listening,
    Order,
    Progress,
    Pulse,
    Started,
    Stop,
    Waiting,
    frame,
)

Message = Listening | Joined | Started | Pulse | Waiting | Finished | Failed | Progress

_READ_BYTES = 65536
_END_S = 10.0


class Load:
    """Engine, writer and workers of one run's load. Use as a context: leaving it leaves none behind.

    Each is in a session of its own, so that a terminal's Ctrl-C reaches the CLI alone; each ends when
    its standard input does, so that none outlives a killed CLI.
    """

    def __init__(self, order: Order, samples: Path, lead: Lead | None = None) -> None:
        """With `lead` the engine has the order carried out by workers."""
        self._workers: list[subprocess.Popen[bytes]] = []
        self._killed_at_s: float | None = None  # when an engine that was to end at once is made to
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the context
        self._writer = self._spawn("coldbench.engine.writer", str(samples), stdin=subprocess.PIPE)
        assert self._writer.stdin is not None
        facts = self._writer.stdin.fileno()
        say(self._writer, order)
        self._engine = self._spawn("coldbench.engine", str(facts), stdin=subprocess.PIPE, pass_fds=(facts,))
        # The engine's end of it is the only one left: its death is the writer's end of input.
        hang_up(self._writer)
        say(self._engine, lead or order)

    def enlist(self, count: int, join: Join) -> None:
        """Start as many workers on this machine."""
        for _ in range(count):
            process = self._spawn("coldbench.engine", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            self._workers.append(process)
            say(process, join)

    def _spawn(
        self,
        module: str,
        *arguments: str,
        stdin: int,
        stdout: int = subprocess.PIPE,
        pass_fds: tuple[int, ...] = (),
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=stdin,
            stdout=stdout,
            stderr=self._words,
            pass_fds=pass_fds,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self._engine, *self._workers, self._writer):
            hang_up(process)
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            if process.stdout:
                process.stdout.close()
        self._words.close()

    def messages(self, tick_s: float) -> Iterator[Message | None]:
        """What they say until both have ended; None when nothing was said for `tick_s` seconds."""
        decode = msgspec.msgpack.Decoder(Message).decode
        with selectors.DefaultSelector() as selector:
            for process in (self._engine, self._writer):
                assert process.stdout is not None  # a pipe, as `_spawn` makes it
                selector.register(process.stdout, selectors.EVENT_READ, FrameReader())
            while selector.get_map():
                ready = selector.select(tick_s)
                if self._killed_at_s is not None and time.monotonic() > self._killed_at_s:
                    self._engine.kill()  # it does not listen: a user's own file may never return
                if not ready:
                    yield None
                for key, _ in ready:
                    data = os.read(key.fd, _READ_BYTES)
                    if not data:
                        selector.unregister(key.fileobj)
                    for payload in key.data.feed(data):
                        yield decode(payload)

    def stop(self) -> None:
        """Ask the engine to end in order."""
        say(self._engine, Stop())

    def go(self) -> None:
        """Let the engine begin the round that it waits with."""
        say(self._engine, Go())

    def abort(self) -> None:
        """End the engine at once: what is in flight is recorded as unfinished."""
        hang_up(self._engine)
        self._killed_at_s = time.monotonic() + _END_S

    def fault(self) -> ColdbenchError | None:
        """What went wrong with a process that has ended, in its own last words."""
        for name, process in (("engine", self._engine), ("writer", self._writer)):
            code = process.wait()
            if code:
                how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
                return ColdbenchError(f"the {name} {how}", hint=self._last_words() or None)
        return None

    def _last_words(self) -> str:
        self._words.seek(0)
        lines = self._words.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


def say(process: subprocess.Popen[bytes], message: Order | Lead | Join | Stop | Go) -> None:
    """Nothing to one that has ended, or was hung up on: `fault` says how it ended."""
    if process.stdin and not process.stdin.closed:
        try:
            process.stdin.write(frame(message))
            process.stdin.flush()
        except BrokenPipeError:
            pass


def hang_up(process: subprocess.Popen[bytes]) -> None:
    """Close its input; idempotent."""
    if process.stdin:
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass  # it ended before it had read everything
