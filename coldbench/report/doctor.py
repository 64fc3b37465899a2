"""The doctor's diagnosis, for people."""

from collections.abc import Iterator

from coldbench.probe.doctor import Diagnosis
from coldbench.report.platform import elsewhere_lines, header_line, platform_lines
from coldbench.report.words import shown

_LEVELS = {
    None: "none: nothing answered",
    0: "0: timing only",
    1: "1: headers that the platform or the function sends",
    2: "2: the function carries the shim",
    3: "3: the platform's own API",
}


def doctor_lines(diagnosis: Diagnosis) -> Iterator[str]:
    """A line for each thing that was found; what comes from a server is made printable."""
    answered = f"{diagnosis.completed} of {diagnosis.requests} requests answered"
    yield f"target    {shown(diagnosis.target)}: {answered}"
    if diagnosis.statuses:
        yield f"status    {', '.join(str(status) for status in diagnosis.statuses)}"
    if diagnosis.errors:
        yield f"errors    {', '.join(diagnosis.errors)}"
    yield from platform_lines(diagnosis.recognised)
    yield f"evidence  level {_LEVELS[diagnosis.evidence_level]}"
    if diagnosis.round_trip_ms is not None:
        yield f"network   round trip {diagnosis.round_trip_ms:.1f} ms (the fastest handshake)"
    if diagnosis.clock_offset_s is not None:
        low, high = diagnosis.clock_offset_s
        yield f"clock     {low:+.1f} to {high:+.1f} s ahead of ours, by the header Date (whole seconds)"
    if diagnosis.exec_step_ms is not None:
        yield f"steps     executions are told in steps of {diagnosis.exec_step_ms:g} ms"
    if diagnosis.billed_step_ms is not None:
        yield f"steps     billed in steps of {diagnosis.billed_step_ms:g} ms"
    for field, meaning in diagnosis.found.items():
        names = ", ".join(shown(header.name, 40) for header in diagnosis.headers if field in header.told)
        yield f"found     {field}: {meaning} ({names})"
    for field, meaning in diagnosis.missing.items():
        yield f"missing   {field}: {meaning}"
    yield from elsewhere_lines(diagnosis.recognised, diagnosis.found)
    for header in diagnosis.headers:
        if not header.told:
            yield header_line(diagnosis.recognised, header)
    if diagnosis.cookies:
        yield f"cookies   {shown(', '.join(diagnosis.cookies))}: none is sent back"
    for warning in diagnosis.warnings:
        yield f"careful   {shown(warning)}"
    for advice in diagnosis.advice:
        yield f"next      {shown(advice)}"
