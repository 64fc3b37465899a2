"""From the command line to a run that several processes or machines share."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from coldbench.core.crew import Join, Lead
from coldbench.core.errors import UsageError
from coldbench.core.messages import Listening, Order
from coldbench.report.words import count

LOOPBACK = "127.0.0.1"
_MOST_WORKERS = 255
_SHORTEST_TOKEN = 16

Processes = Annotated[
    str | None,
    typer.Option("--processes", metavar="N|auto", help="Share the load among N engines on this machine."),
]
ExpectWorkers = Annotated[
    int | None,
    typer.Option(
        "--expect-workers", metavar="N", help="Share the load among N `coldbench worker`s, and wait for them."
    ),
]
Bind = Annotated[str, typer.Option("--bind", metavar="ADDR[:PORT]", help="Where workers find this master.")]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", metavar="FILE", help="What master and workers hold; a must off loopback."),
]


class Shared(Struct, frozen=True, kw_only=True):
    """How a run is shared: `local` workers are started here, the others come."""

    expect: int
    local: bool
    host: str
    port: int
    token: bytes

    def lead(self, order: Order) -> Lead:
        """What the engine is asked for."""
        return Lead(order=order, expect=self.expect, host=self.host, port=self.port, token=self.token)

    def waiting(self, listening: Listening) -> Iterator[str]:
        """What a person has to do now."""
        if not self.local:
            token = " --token-file FILE" if self.token else ""
            yield (
                f"waiting for {count(self.expect, 'worker')}: coldbench worker --master "
                f"{listening.host}:{listening.port}{token}"
            )

    def join(self, listening: Listening) -> Join:
        """What a worker on this machine is asked for."""
        return Join(host=listening.host, port=listening.port, token=self.token)


def read_shared(
    processes: str | None, expect: int | None, bind: str, token_file: Path | None
) -> Shared | None:
    """What the options ask for; None for a run that one engine carries out alone."""
    if processes is not None and expect is not None:
        raise UsageError("choose one", place="--processes --expect-workers")
    if processes is not None:
        # Nobody but our own children is to come: they get a token that nobody else has.
        number = _number(processes)
        return Shared(expect=number, local=True, host=LOOPBACK, port=0, token=secrets.token_bytes(32))
    if expect is None:
        return None
    if not 1 <= expect <= _MOST_WORKERS:
        raise UsageError(f"expected 1 to {_MOST_WORKERS}", place=f"--expect-workers {expect}")
    host, port = read_address(bind, "--bind", default_port=0)
    token = read_token(token_file, host, "--bind")
    return Shared(expect=expect, local=False, host=host, port=port, token=token)


def read_address(text: str, place: str, *, default_port: int | None = None) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, `[::1]:PORT`; without a port the default, if there is one."""
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port or (":" in host and not host.startswith("[")):
        host, port = text, "" if default_port is None else str(default_port)
    if not host or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"expected HOST:PORT, got {text}", place=place)
    return host.strip("[]"), int(port)


def read_token(path: Path | None, host: str, place: str) -> bytes:
    """What the file holds; nothing on loopback without one. Raises UsageError where one is required."""
    if path is None:
        if host in (LOOPBACK, "localhost", "::1"):
            return b""
        raise UsageError(
            "beyond this machine, workers and master have to prove themselves",
            place=f"{place} {host}",
            hint="write a long random line into a file on each machine and name it with --token-file",
        )
    try:
        token = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=f"--token-file {path}") from error
    if len(token) < _SHORTEST_TOKEN:
        raise UsageError(f"expected at least {_SHORTEST_TOKEN} bytes", place=f"--token-file {path}")
    return token


def _number(text: str) -> int:
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdigit() or not 1 <= int(text) <= _MOST_WORKERS:
        raise UsageError(f"expected 1 to {_MOST_WORKERS}, or auto", place=f"--processes {text}")
    return int(text)
