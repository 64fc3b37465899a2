"""`coldbench worker`: carries out a share of a run that another machine leads."""

import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
import typer

from coldbench.cli.crew import TokenFile, read_address, read_token
from coldbench.cli.load import hang_up, say
from coldbench.cli.record import Asked, signals
from coldbench.core.crew import Join
from coldbench.core.errors import ColdbenchError, ExitCode
from coldbench.core.messages import Failed, Finished, FrameReader, Joined, Stop

_Said = Joined | Finished | Failed
_TICK_S = 0.2
_READ_BYTES = 65536
_END_S = 15.0


def command(
    master: Annotated[str, typer.Option("--master", metavar="HOST:PORT", help="Where the master listens.")],
    token_file: TokenFile = None,
) -> None:
    """Join a run that was started with `coldbench run --expect-workers`; do its share."""
    host, port = read_address(master, "--master")
    join = Join(host=host, port=port, token=read_token(token_file, host, "--master"))
    finished: Finished | None = None
    with signals() as asked, _engine(join) as engine:
        for message in _messages(engine, asked):
            match message:
                case Joined(rank=rank, of=of):
                    typer.echo(f"joined {master} as worker {rank + 1} of {of}", err=True)
                case Failed() if asked.count:
                    raise typer.Exit(ExitCode.INTERRUPTED)
                case Failed(message=words, hint=hint):
                    raise ColdbenchError(words, hint=hint)
                case Finished():
                    finished = message
    if finished is None:
        raise ColdbenchError("the engine ended without a word")
    typer.echo(f"done: {finished.intended:,} invocations intended", err=True)
    raise typer.Exit(ExitCode.INTERRUPTED if asked.count else ExitCode.DONE)


@contextmanager
def _engine(join: Join) -> Iterator[subprocess.Popen[bytes]]:
    """The engine in a session of its own: a terminal's Ctrl-C is for us, who say what it means."""
    with subprocess.Popen(
        [sys.executable, "-m", "coldbench.engine"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            say(process, join)
            yield process
        finally:
            hang_up(process)
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _messages(engine: subprocess.Popen[bytes], asked: Asked) -> Iterator[_Said]:
    """What the engine says until it ends. A request for the end is passed on; a second one cuts it off."""
    assert engine.stdout
    frames, told = FrameReader(), 0
    decode = msgspec.msgpack.Decoder(_Said).decode
    with selectors.DefaultSelector() as selector:
        selector.register(engine.stdout, selectors.EVENT_READ)
        while True:
            if asked.count > told:
                say(engine, Stop()) if told == 0 else hang_up(engine)
                told = asked.count
            if not selector.select(_TICK_S):
                continue
            data = os.read(engine.stdout.fileno(), _READ_BYTES)
            if not data:
                return
            yield from (decode(payload) for payload in frames.feed(data))
