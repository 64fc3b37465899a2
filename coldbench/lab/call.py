"""A call on its way through the lab, and the answer to it."""

from msgspec import Struct


class Call(Struct, kw_only=True, eq=False):
    """One request as the gateway received it. Instants are epoch us."""

    method: str
    path: str  # with the query, as it came
    headers: list[tuple[str, str]]
    body: bytes
    arrival_us: int
    client: str


class Answer(Struct, frozen=True, kw_only=True):
    """What goes back. `failure` names what the platform itself has to report."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    failure: str | None = None


class InstanceLost(Exception):
    """The instance ended, or broke its contract, with the call in its hands."""


class StartFailed(Exception):
    """No instance came up for the call; the argument is the instance's own last words."""
