"""HdrHistogram logs: of each target its cold and its warm waits and its service times.

They are of what the figures are of: waits of cold calls of the kind of start that was met most, those of
other kinds apart, and service times of what the function answered.

The format is 1.3 of HistogramLogWriter (github.com/HdrHistogram/HdrHistogram): comments, a legend, then a
line a histogram, tagged `target/what`; values in microseconds, to three digits.
"""

from collections.abc import Iterator, Mapping
from typing import IO

from coldbench.core.rounds import behind_connection
from coldbench.core.summary import Run
from coldbench.core.verdict import RAN, ColdKind, Verdict
from coldbench.runs.export.judged import Facts, bounds_ns, each, needs
from coldbench.runs.samples import Judged

# Target, what is told of it, and of its cold starts their kind.
_Of = tuple[str, str, ColdKind | None]

_LEAST_US, _GREATEST_US, _DIGITS = 1, 86_400_000_000, 3


def write_hdr(run: Run, facts: Facts, to: IO[bytes]) -> None:
    """The whole log. Raises UsageError where hdrhistogram is not there."""
    try:
        from hdrh.histogram import HdrHistogram
    except ImportError as error:
        raise needs("hdr", "hdrhistogram") from error
    found: dict[_Of, HdrHistogram] = {}
    for one in each(facts):
        for what, kind, value_us in _values(one):
            of = one.invocation.target, what, kind
            if of not in found:
                found[of] = HdrHistogram(_LEAST_US, _GREATEST_US, _DIGITS)
            found[of].record_value(value_us)
    tags = _tags({of: histogram.get_total_count() for of, histogram in found.items()})
    histograms = {tags[of]: histogram for of, histogram in found.items()}
    began_ns, ended_ns = bounds_ns(run)
    began_s, took_s = began_ns / 1e9, (ended_ns - began_ns) / 1e9
    to.write(b"#[Histogram log format version 1.3]\n")
    to.write(f"#[StartTime: {began_s:.3f} (seconds since epoch), {run.started_at}]\n".encode())
    to.write(b'"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n')
    for tag, histogram in sorted(histograms.items()):
        greatest_ms = histogram.get_max_value() / 1000
        line = f"Tag={tag},{0:.3f},{took_s:.3f},{greatest_ms:.3f},{histogram.encode().decode()}\n"
        to.write(line.encode())


def _tags(numbers: Mapping[_Of, int]) -> dict[_Of, str]:
    """The kind of cold starts that was met most has no more in its tag than its waits in the tables."""
    most: dict[tuple[str, str], ColdKind | None] = {}
    for target, what, kind in sorted(numbers, key=lambda of: -numbers[of]):
        most.setdefault((target, what), kind)  # of those that are as many the one met first, as in the tables
    return {
        (target, what, kind): f"{target}/{what}"
        + ("" if kind == most[target, what] else f"_{kind or 'unknown'}")
        for target, what, kind in numbers
    }


def _values(one: Judged) -> Iterator[tuple[str, ColdKind | None, int]]:
    i, verdict = one.invocation, one.judgement and one.judgement.verdict
    whole = verdict is Verdict.WARM or (verdict is Verdict.COLD and not behind_connection(i.phase))
    if one.judgement and verdict and whole and i.wait_ns is not None:
        yield f"wait_{verdict.value}", one.judgement.cold_kind, _us(i.wait_ns)
    if verdict in RAN and i.service_ns is not None and i.completed:
        yield "service", None, _us(i.service_ns)


def _us(duration_ns: int) -> int:
    return max(_LEAST_US, round(duration_ns / 1000))
