"""HdrHistogram logs: of each target its cold and its warm waits and its service times.

The format is 1.3 of HistogramLogWriter (github.com/HdrHistogram/HdrHistogram): comments, a legend, then a
line a histogram, tagged `target/what`; values in microseconds, to three digits.
"""

from collections.abc import Iterator
from typing import IO

from coldbench.core.rounds import behind_connection
from coldbench.core.summary import Run
from coldbench.core.verdict import Verdict
from coldbench.runs.export.judged import Facts, bounds_ns, each, needs
from coldbench.runs.samples import Judged

_LEAST_US, _GREATEST_US, _DIGITS = 1, 86_400_000_000, 3


def write_hdr(run: Run, facts: Facts, to: IO[bytes]) -> None:
    """The whole log. Raises UsageError where hdrhistogram is not there."""
    try:
        from hdrh.histogram import HdrHistogram
    except ImportError as error:
        raise needs("hdr", "hdrhistogram") from error
    histograms: dict[str, HdrHistogram] = {}
    for one in each(facts):
        for what, value_us in _values(one):
            tag = f"{one.invocation.target}/{what}"
            if tag not in histograms:
                histograms[tag] = HdrHistogram(_LEAST_US, _GREATEST_US, _DIGITS)
            histograms[tag].record_value(value_us)
    began_ns, ended_ns = bounds_ns(run)
    began_s, took_s = began_ns / 1e9, (ended_ns - began_ns) / 1e9
    to.write(b"#[Histogram log format version 1.3]\n")
    to.write(f"#[StartTime: {began_s:.3f} (seconds since epoch), {run.started_at}]\n".encode())
    to.write(b'"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n')
    for tag, histogram in sorted(histograms.items()):
        greatest_ms = histogram.get_max_value() / 1000
        line = f"Tag={tag},{0:.3f},{took_s:.3f},{greatest_ms:.3f},{histogram.encode().decode()}\n"
        to.write(line.encode())


def _values(one: Judged) -> Iterator[tuple[str, int]]:
    i, verdict = one.invocation, one.judgement and one.judgement.verdict
    whole = verdict is Verdict.WARM or (verdict is Verdict.COLD and not behind_connection(i.phase))
    if verdict and whole and i.wait_ns is not None:
        yield f"wait_{verdict.value}", _us(i.wait_ns)
    if i.service_ns is not None and i.completed:
        yield "service", _us(i.service_ns)


def _us(duration_ns: int) -> int:
    return max(_LEAST_US, round(duration_ns / 1000))
