"""The Server-Timing header field (W3C Server Timing; token and quoted-string of RFC 9110, 5.6).

    Server-Timing        = #server-timing-metric
    server-timing-metric = metric-name *( OWS ";" OWS param-name OWS "=" OWS ( token / quoted-string ) )

Read by the standard's prose, as browsers do: parameters other than `dur` and `desc` are ignored, of a
repeated one the first counts even when it is incomplete, what follows a name or a value up to the next
delimiter is skipped, parameter names are case-insensitive. Stricter than a browser in one thing: a `dur`
that is missing or not a credible number is None, never 0, and `5s` is not taken for 5 ms.
"""

from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

from coldbench.evidence.lists import pieces
from coldbench.evidence.values import milliseconds


class Metric(Struct, frozen=True):
    """One metric as sent. `dur_ms` is None when it is missing or cannot be read; `desc` is then empty."""

    name: str
    dur_ms: float | None = None
    desc: str = ""


def parse_server_timing(values: Iterable[str]) -> list[Metric]:
    """All metrics of all header lines, in order, repeated ones too; whatever the text, it never raises."""
    found: list[Metric] = []
    for value in values:
        members = value.split(",")
        # A comma in a quoted string has an odd number of quotes before it, and so has one of the parts. What
        # is escaped is left alone.
        torn = [member for member in members if member.count('"') % 2]
        if not torn and "\\" not in value and len(value) <= _LONGEST_CUT:
            for member in members:
                found += _seen_before(member)
        else:
            found += _metrics(value)
    return found


def _metrics(text: str) -> tuple[Metric, ...]:
    found: list[tuple[str, dict[str, str]]] = []
    parameters: dict[str, str] = {}
    for is_parameter, name, said in pieces(text):
        if is_parameter:
            parameters.setdefault(name.lower(), said)
        else:
            parameters = {}
            if name:
                found.append((name, parameters))
    return tuple(
        Metric(name, milliseconds(parameters.get("dur", "")), parameters.get("desc", ""))
        for name, parameters in found
    )


# Most members of an instance's next answer stood in an earlier one.
_LONGEST_CUT = 1024
_seen_before = lru_cache(maxsize=4096)(_metrics)
