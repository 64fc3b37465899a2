"""A probe's plain answers for one target: was it made cold, and what else does a first call cost?"""

from collections.abc import Iterator, Mapping

from coldbench.core.rounds import Provocation
from coldbench.core.summary import Connecting, Probed
from coldbench.core.verdict import RAN, Verdict
from coldbench.report.words import interval, ms

# What would make more of the first calls cold.
_COLDER: dict[object, str] = {
    Provocation.GAP: "a longer --gap, or --prepare, makes more of them cold",
    Provocation.PREPARE: "the command of --prepare does not always make it cold",
}


def answers(probed: Probed, experiment: Mapping[str, object]) -> Iterator[str]:
    """Sentences; `experiment` is what was asked, as the run's record has it."""
    yield from _made_cold(probed, experiment.get("provocation"))
    yield from _longer(probed, experiment.get("provocation"))
    yield from _woken(probed.connecting, experiment.get("connect_ahead_ns"))
    yield from _first_execution(probed)
    handshake = _handshake_ms(probed)
    if handshake is not None:
        yield f"A fresh connection costs a call {ms(handshake)} ms more, before anything is sent"


def _made_cold(probed: Probed, provocation: object) -> Iterator[str]:
    """In a burst it is not the first call that is to be cold."""
    calls = sum(number for verdict, number in probed.first.items() if verdict in RAN)
    cold, unknown = probed.first.get(Verdict.COLD, 0), probed.first.get(Verdict.UNKNOWN, 0)
    if not calls or provocation not in _COLDER:
        return
    if cold == calls:
        yield f"All {calls} first calls were cold"
    elif unknown == calls:
        yield f"Of {calls} first calls none can be told to be cold or warm; {_COLDER[provocation]}"
    else:
        told = f" ({unknown} could not be told)" if unknown else ""
        colder = "" if cold + unknown == calls else f": {_COLDER[provocation]}"
        yield f"Of {calls} first calls {cold} were cold{told}{colder}"


def _longer(probed: Probed, provocation: object) -> Iterator[str]:
    """What is known of a first call's price where that of a cold start is not."""
    more = probed.first_over_later_ms
    priced = any(its.verdict == Verdict.COLD for its in probed.phases)
    if more is None or priced or provocation not in _COLDER:
        return
    bounds = "" if more.low is None else f" {interval(more)}"
    yield f"First calls waited {ms(more.value)} ms{bounds} longer (median) than those right after them"


def _woken(connecting: Connecting | None, ahead_ns: object) -> Iterator[str]:
    if connecting is None:
        return
    failed = f"; {connecting.failed} connections did not stand in time" if connecting.failed else ""
    seen = (
        f"first calls cold behind a connection over which nothing was sent: {_cold(connecting.connected)}, "
        f"behind the same silence alone: {_cold(connecting.silent)}{failed}"
    )
    match connecting.wakes:
        case True:
            yield f"Connecting alone wakes it: {seen}"
        case False:
            seldom = (
                ""
                if connecting.at_most is None
                else f", or in {100 * connecting.at_most:.0f} % of cases at most (95 %)"
            )
            yield f"Connecting alone does not wake it{seldom}: {seen}"
        case None:
            more = _tells_more(connecting, ahead_ns)
            yield f"Whether connecting alone wakes it is not known: {seen}; {more}"


def _tells_more(connecting: Connecting, ahead_ns: object) -> str:
    start_ms = connecting.start_ms
    if connecting.failed and not connecting.connected:
        return "a longer --connect-ahead may tell"
    if start_ms is None:
        return "a longer --gap may tell"
    if isinstance(ahead_ns, int) and start_ms * 1e6 >= ahead_ns:
        into = f"a start takes {ms(start_ms)} ms, and a call that comes into one is cold, too"
        return f"{into}: a longer --connect-ahead may tell"
    return "more --samples may tell"


def _cold(verdicts: Mapping[str, int]) -> str:
    untold = verdicts.get(Verdict.UNKNOWN, 0)
    told = f" ({untold} could not be told)" if untold else ""
    return f"{verdicts.get(Verdict.COLD, 0)} of {sum(verdicts.values())}{told}"


def _first_execution(probed: Probed) -> Iterator[str]:
    more, first, later = probed.first_execution_ms, probed.exec_first_ms, probed.exec_later_ms
    if more is None or more.low is None or first is None or later is None:
        return
    executions = f"the first execution takes {ms(first.p50)} ms, later ones {ms(later.p50)} ms"
    if more.low > 0:
        yield f"A hidden cost: {executions}, {ms(more.value)} ms {interval(more)} more"
    else:
        yield f"No hidden cost is seen: {executions}"


def _handshake_ms(probed: Probed) -> float | None:
    """What name, connection and TLS take of a warm call, or of one after a first one, mean."""
    for its in probed.phases:
        if its.verdict != Verdict.COLD and not its.first and its.connection == "fresh":
            parts = [part for part in (its.dns_ms, its.connect_ms, its.tls_ms) if part is not None]
            return sum(parts) if parts else None
    return None
