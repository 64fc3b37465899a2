"""What a master and its workers say to each other, and how each proves that it holds the same token.

    worker  Hello ─────────────────────────► master
            ◄──────────────────────── Offer          the master proves itself first, telling nothing
            Claim ─────────────────────────►         then the worker
            ◄───────────────────────── Duty          the order; the proof covers its bytes
            ◄────────── Ping, Pong ────────►         clocks, before and after
            Reached ───────────────────────►
            ◄──────────────────────── Begin          the run's clock, on the worker's
            AtGate ────────────────────────►         before each step that starts together
            ◄───────────────────────── Open
            Facts ─────────────────────────►
            ◄──────────────────────── Taken
            Beat, Done ────────────────────►
            ◄──────────────────── Dismissed

Every message travels in Locust's own messages as msgpack. The proofs are HMAC-SHA256 over both sides' random
numbers (RFC 2104); without a token the key is empty and proves nothing, which is for loopback only.
"""

import hmac
import secrets

import msgspec
from msgspec import Struct

from coldbench.core.messages import Finished, Order, Pulse

_NONCE_BYTES = 16


class Join(Struct, frozen=True, kw_only=True, tag=True):
    """What a worker's CLI asks its engine to do: serve the master there."""

    host: str
    port: int
    token: bytes = b""


class Lead(Struct, frozen=True, kw_only=True, tag=True):
    """What a run's CLI asks its engine to do: have the order carried out by workers, who find it there."""

    order: Order
    expect: int
    host: str
    port: int  # 0: any that is free
    token: bytes = b""


class Hello(Struct, frozen=True, kw_only=True, tag=True):
    """A worker is there. `name` is its host and process, for people."""

    nonce: bytes
    name: str
    version: str


class Offer(Struct, frozen=True, kw_only=True, tag=True):
    """The master's proof."""

    nonce: bytes
    proof: bytes


class Claim(Struct, frozen=True, kw_only=True, tag=True):
    """The worker's proof."""

    proof: bytes


class Duty(Struct, frozen=True, kw_only=True, tag=True):
    """`order` is an encoded Order; rank and number of workers say which share of it."""

    order: bytes
    rank: int
    of: int
    proof: bytes


class Refused(Struct, frozen=True, kw_only=True, tag=True):
    """The worker is not wanted, and why."""

    why: str


class Ping(Struct, frozen=True, kw_only=True, tag=True):
    """What time is it? `sent_ns` is the master's."""

    sent_ns: int


class Pong(Struct, frozen=True, kw_only=True, tag=True):
    """It is `at_ns` at the worker's."""

    sent_ns: int
    at_ns: int


class Reached(Struct, frozen=True, kw_only=True, tag=True):
    """The worker has tried the targets; the errors by target."""

    unreachable: dict[str, str]


class Begin(Struct, frozen=True, kw_only=True, tag=True):
    """The run's clock began, or will, at that instant of the worker's monotonic clock."""

    zero_ns: int


class AtGate(Struct, frozen=True, kw_only=True, tag=True):
    """The worker has done what comes before this step of the plan."""

    step: int


class Open(Struct, frozen=True, kw_only=True, tag=True):
    """The step begins at that instant of the worker's monotonic clock."""

    step: int
    at_ns: int


class Facts(Struct, frozen=True, kw_only=True, tag=True):
    """A batch of facts, framed for the writer. They are numbered from 0; sent again until they are taken."""

    number: int
    frame: bytes


class Taken(Struct, frozen=True, kw_only=True, tag=True):
    """All batches below `next` have been taken."""

    next: int


class Beat(Struct, frozen=True, kw_only=True, tag=True):
    """The worker lives; where it is, once the run's clock has begun."""

    pulse: Pulse | None = None


class Done(Struct, frozen=True, kw_only=True, tag=True):
    """The worker has drained, and sent so many batches in all."""

    batches: int
    finished: Finished


class Halt(Struct, frozen=True, kw_only=True, tag=True):
    """End in order; or at once."""

    at_once: bool


class Dismissed(Struct, frozen=True, kw_only=True, tag=True):
    """The master has everything; the worker may go."""


FromWorker = Hello | Claim | Pong | Reached | AtGate | Facts | Beat | Done
FromMaster = Offer | Duty | Refused | Ping | Begin | Open | Taken | Halt | Dismissed

decode_from_worker = msgspec.msgpack.Decoder(FromWorker).decode
decode_from_master = msgspec.msgpack.Decoder(FromMaster).decode


def new_nonce() -> bytes:
    """A random number that is used once."""
    return secrets.token_bytes(_NONCE_BYTES)


def proof(token: bytes, role: str, worker_nonce: bytes, master_nonce: bytes, covered: bytes = b"") -> bytes:
    """That `role` ("master", "worker" or "order") holds the token, in this conversation, over `covered`."""
    # The parts have fixed lengths but for the last: no two conversations give the same message.
    message = role.encode().ljust(8) + worker_nonce + master_nonce + covered
    return hmac.digest(token, message, "sha256")


def proves(given: bytes, expected: bytes) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(given, expected)


class Clock(Struct, frozen=True):
    """Another machine's monotonic clock: so much ahead of ours, known to `error_ns` either way."""

    ahead_ns: int
    error_ns: int


def clock(sent_ns: int, at_ns: int, received_ns: int) -> Clock:
    """From one question and its answer, as NTP has it (RFC 5905, 8): the answer was given half way."""
    half_ns = (received_ns - sent_ns) // 2
    return Clock(at_ns - sent_ns - half_ns, half_ns)
