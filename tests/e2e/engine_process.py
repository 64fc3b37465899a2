"""Runs the engine alone, as a process, and gives back what it said and the facts it shipped."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

import msgspec

from coldbench.core.messages import (
    Batch,
    Failed,
    Finished,
    FrameReader,
    Order,
    Pulse,
    RawFact,
    Started,
    Stop,
    frame,
)
from coldbench.core.profile import parse_profile
from coldbench.core.schedule import plan
from coldbench.core.target import Target

Message = Started | Pulse | Finished | Failed


class EngineRun(msgspec.Struct, frozen=True):
    """What came out of one engine process; the facts' instants are on the run's clock."""

    messages: list[Message]
    facts: list[RawFact]
    code: int
    words: str

    @property
    def finished(self) -> Finished:
        return next(message for message in self.messages if isinstance(message, Finished))


def target(url: str, **settings: object) -> Target:
    return msgspec.convert({"name": "f", "url": url, "endpoint": url} | settings, Target)


def run_engine(
    profile: str,
    targets: Sequence[Target],
    *,
    drain_s: float = 5,
    act: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> EngineRun:
    """Run `profile` (TOML) against the targets; `act` may disturb the process while it runs."""
    order = Order(
        run_id="testrun",
        plan=plan(parse_profile(profile, "test"), len(targets), seed=1),
        targets=tuple(targets),
        drain_ns=int(drain_s * 1e9),
    )
    reading, writing = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "coldbench.engine", str(writing)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(writing,),
    ) as process:
        os.close(writing)
        batches: list[bytes] = []
        taking = threading.Thread(target=_take, args=(reading, batches))
        taking.start()
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(frame(order))
        process.stdin.flush()
        if act:
            act(process)
        said = process.stdout.read()
        words = process.stderr.read().decode()
        code = process.wait()
        if not process.stdin.closed:
            process.stdin.close()
        taking.join()
    return EngineRun(
        messages=[msgspec.msgpack.decode(payload, type=Message) for payload in FrameReader().feed(said)],
        facts=[
            _since_zero(fact, batch.zero_ns)
            for payload in FrameReader().feed(b"".join(batches))
            for batch in [msgspec.msgpack.decode(payload, type=Batch)]
            for fact in batch.facts
        ],
        code=code,
        words=words,
    )


def _since_zero(fact: RawFact, zero_ns: int) -> RawFact:
    instants = ("intended_ns", "started_ns", "sent_ns", "first_byte_ns", "end_ns")
    known = {name: getattr(fact, name) for name in instants if getattr(fact, name) is not None}
    return msgspec.structs.replace(fact, **{name: at_ns - zero_ns for name, at_ns in known.items()})


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask for an orderly end."""
    assert process.stdin
    process.stdin.write(frame(Stop()))
    process.stdin.flush()


def _take(fd: int, batches: list[bytes]) -> None:
    with os.fdopen(fd, "rb") as pipe:
        batches.append(pipe.read())
