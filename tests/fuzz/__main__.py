"""`python -m tests.fuzz NAME [SECONDS]`: one parser against bytes that atheris finds by coverage.

Where atheris installs (`pip install atheris`; it is no dependency). What a parser refuses it refuses with a
UsageError or by reading nothing; every other exception ends the run and shows the bytes.
"""

import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports():
    from coldbench.cli.curl import parse_curl
    from coldbench.core.check import parse_check
    from coldbench.core.errors import UsageError
    from coldbench.core.profile import parse_profile
    from coldbench.core.trace import parse_trace
    from coldbench.engine.response import Response
    from coldbench.evidence.headers import parse_head
    from coldbench.evidence.log_tail import read_log_tail
    from coldbench.evidence.read import read
    from coldbench.evidence.server_timing import parse_server_timing


def _response(data: bytes) -> None:
    response = Response(head_request=False)
    for start in range(0, len(data), 7):
        if response.error is None and not response.complete:
            response.feed(data[start : start + 7])
    response.end_of_stream()
    _head(response.head(), response.trailers())


def _head(head: bytes, trailers: bytes = b"") -> None:
    read(parse_head(head, trailers), status=200, cold_header="x-cold", instance_header="x-instance")


def _text(parse: Callable[[str], object]) -> Callable[[bytes], None]:
    def fuzzed(data: bytes) -> None:
        parse(data.decode("utf-8", "replace"))

    return fuzzed


PARSERS: dict[str, Callable[[bytes], object]] = {
    "response": _response,
    "head": _head,
    "server-timing": _text(lambda text: parse_server_timing([text])),
    "log-tail": _text(lambda text: read_log_tail({"x-amz-log-result": [text], "x-fc-log-result": [text]})),
    "profile": _text(lambda text: parse_profile(text, "fuzzed.toml")),
    "trace": _text(lambda text: parse_trace(text, "fuzzed.csv")),
    "check": _text(lambda text: parse_check(text, ["a", "b.c"])),
    "curl": _text(parse_curl),
}


def main() -> None:
    """Fuzz one until it fails or the time is over."""
    name, seconds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60

    def once(data: bytes) -> None:
        try:
            PARSERS[name](data)
        except UsageError:
            pass

    stats = ("-print_final_stats=1", f"-max_total_time={seconds}")
    atheris.Setup([sys.argv[0], *stats], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
