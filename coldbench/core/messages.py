"""What the processes of a run say to each other: frames of msgpack, each after its length.

    CLI --Order--> engine --Batch of RawFact--> writer --Progress--> CLI
                   engine --Started, Pulse, Waiting, Finished--> CLI

A frame is a 4-byte big-endian length and that many bytes of msgpack. The CLI closing the engine's
input means "the CLI is gone": the engine stops at once. A `Stop` means "end in order", a `Go` answers
`Waiting`.
"""

import struct
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from coldbench.core.schedule import Plan
from coldbench.core.target import Target

LENGTH = struct.Struct(">I")


class Order(Struct, frozen=True, kw_only=True, tag=True):
    """What the engine is asked to do."""

    run_id: str
    plan: Plan
    targets: tuple[Target, ...]
    drain_ns: int  # how long to wait for what is in flight at the end
    locustfile: str | None = None  # the user's own, whose users the plan's one step counts
    prepare: bool = False  # before each round the engine waits for a `Go`: something makes the targets cold


class Stop(Struct, frozen=True, kw_only=True, tag=True):
    """End in order: dispatch nothing more, drain, report what is unfinished."""


class Go(Struct, frozen=True, kw_only=True, tag=True):
    """The round that the engine waits with may begin."""


class Waiting(Struct, frozen=True, kw_only=True, tag=True):
    """All is settled and silent before a round, until a `Go`."""


class Started(Struct, frozen=True, kw_only=True, tag=True):
    """The engine's clock has begun."""

    zero_monotonic_ns: int
    zero_epoch_ns: int
    # by target name: the error met in connecting to it, without an invocation
    unreachable: dict[str, str] = {}


class Pulse(Struct, frozen=True, kw_only=True, tag=True):
    """Where the engine is; four times a second."""

    phase: str
    now_ns: int
    intended: int  # so far: users intend as they go
    dispatched: int
    completed: int
    errors: int
    in_flight: int


class Finished(Struct, frozen=True, kw_only=True, tag=True):
    """The engine has drained and every fact has left it."""

    intended: int
    connections_opened: int
    cpu_pct_max: float | None  # of one core; None for a run that was too short to sample it
    held_ns: int  # how long the load was held back because facts came faster than they could be kept
    interrupted: bool
    workers: tuple["WorkerSaid", ...] = ()  # of a run that was shared
    # of a user's own Locust file: requests to no target, and its tasks' exceptions by their words
    elsewhere: int = 0
    task_failures: dict[str, int] = {}


class WorkerSaid(Struct, frozen=True, kw_only=True):
    """What is known of one worker at the end of a run that was shared."""

    rank: int
    name: str
    clock_error_ns: int | None = None
    cpu_pct_max: float | None = None
    lost_after_ns: int | None = None  # on the run's clock; None for one that stayed


class Joined(Struct, frozen=True, kw_only=True, tag=True):
    """A worker has its share of the run; of a master, that all have."""

    rank: int
    of: int


class Listening(Struct, frozen=True, kw_only=True, tag=True):
    """A master waits for its workers there."""

    host: str
    port: int


class Failed(Struct, frozen=True, kw_only=True, tag=True):
    """The engine cannot go on."""

    message: str
    hint: str | None = None
    place: str | None = None
    usage: bool = False  # the user's to mend, not ours


class Progress(Struct, frozen=True, kw_only=True, tag=True):
    """What the writer has appended so far: the verdicts that one row alone decides, by target."""

    verdicts: dict[str, dict[str, int]]


# What `socket.recvmsg` says beside the data: level, type and bytes of each control message.
Ancillary = list[tuple[int, int, bytes]]


class RawFact(Struct, frozen=True, array_like=True):
    """An invocation as it leaves the hot path: nothing read, nothing judged, nothing computed.

    Instants are of the engine's own monotonic clock, those of bytes when they were read: when they had
    arrived is in the ancillary data of the last read, and of the first where that was another one. `target`
    and `phase` are indices into the order's targets and the plan's steps; `head` is the response's header
    block and `trailers` its trailer block, as received. `body_start` is of those bodies alone that are
    evidence, or shown to people.
    """

    seq: int
    target: int
    phase: int
    intended_ns: int
    started_ns: int | None
    sent_ns: int | None = None
    first_byte_ns: int | None = None
    end_ns: int | None = None
    dns_ns: int | None = None
    connect_ns: int | None = None
    tls_ns: int | None = None
    reused: bool | None = None
    status: int | None = None
    error: str | None = None
    body_bytes: int | None = None
    head: bytes = b""
    trailers: bytes = b""
    body_start: bytes = b""
    expected_body: bool = True  # or nothing is expected of it
    last_read: Ancillary = []
    first_read: Ancillary | None = None


class Batch(Struct, frozen=True, array_like=True):
    """Facts that leave an engine together; `zero_ns` is when the run's clock began, on that engine's.

    `ahead_ns` is by how much its wall clock is ahead of its monotonic one, and `since_ns` when it was last
    found to have been set, on the monotonic one.
    """

    worker: int
    zero_ns: int
    ahead_ns: int
    since_ns: int
    facts: list[RawFact]


def frame(message: Struct) -> bytes:
    """One frame of `message`."""
    payload = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(payload)) + payload


class FrameReader:
    """Cuts a stream of bytes into the payloads of its frames; keeps what is not whole yet."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the payload of each frame that `data` completes."""
        self._buffer += data
        position = 0
        while len(self._buffer) - position >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer, position)
            start = position + LENGTH.size
            if len(self._buffer) - start < length:
                break
            yield bytes(self._buffer[start : start + length])
            position = start + length
        del self._buffer[:position]
