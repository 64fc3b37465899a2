"""The instants at which bytes moved, as the probe's network notes them."""

from coldbench.probe.network import Instants


def test_the_first_byte_is_that_of_the_first_read_and_the_last_that_of_the_latest() -> None:
    instants = Instants()
    instants.next_exchange()
    instants.wrote(10)
    instants.wrote(20)
    assert instants.sent_ns == 10
    for piece in (b"HTTP/1.1 2", b"00 OK\r\n\r\n"):
        instants.read(piece)
    assert instants.first_read_ns is not None
    assert instants.last_read_ns is not None
    assert instants.first_read_ns < instants.last_read_ns
    assert instants.tail == b"HTTP/1.1 200 OK\r\n\r\n"


def test_the_next_exchange_begins_with_nothing() -> None:
    instants = Instants()
    instants.connected(5)
    instants.wrote(10)
    instants.read(b"answer")
    instants.next_exchange()
    assert (instants.sent_ns, instants.first_read_ns, instants.last_read_ns, instants.tail) == (None,) * 3 + (
        b"",
    )
    assert instants.connect_ns == 5


def test_a_new_connection_has_no_tls_of_the_one_before() -> None:
    instants = Instants()
    instants.connected(5)
    instants.tls_ns = 6
    instants.dialling()
    assert (instants.connect_ns, instants.tls_ns) == (None, None)
    instants.connected(7)
    assert (instants.connections, instants.connect_ns, instants.tls_ns) == (2, 7, None)


def test_only_the_end_of_a_long_answer_is_kept() -> None:
    instants = Instants()
    for _ in range(10):
        instants.read(b"x" * 5000)
    instants.read(b"end")
    assert len(instants.tail) == 8192
    assert instants.tail.endswith(b"xend")
