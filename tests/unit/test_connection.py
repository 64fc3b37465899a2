"""A connection that fails in the middle of its own opening."""

from socket import AF_INET
from typing import Any

from coldbench.engine.connection import Connection


class Owner:
    def __init__(self) -> None:
        self.told: list[str] = []

    def opened(self, connection: Connection) -> None:
        self.told.append("opened")

    def answered(self, connection: Connection, end_ns: int) -> None:
        self.told.append("answered")

    def closed(self, connection: Connection) -> None:
        self.told.append("closed")


class LastFlight:
    """A handshake that is over once its last flight has been sent."""

    established = False

    def handshake(self, received: bytes) -> bytes:
        self.established = True
        return b"finished"


class Gone:
    """A socket whose peer has gone."""

    def send(self, data: bytes) -> int:
        raise BrokenPipeError

    def close(self) -> None:
        pass


def test_one_whose_last_flight_cannot_be_sent_is_not_opened() -> None:
    owner, tls, gone = Owner(), LastFlight(), Gone()
    doubles: tuple[Any, Any] = tls, gone
    connection = Connection(owner, (AF_INET, ("127.0.0.1", 1)), doubles[0], head_request=False)
    connection._socket = doubles[1]
    connection._handshake(b"flight")
    assert owner.told == ["closed"]
