"""Recorded arrivals: what a profile's `trace` stage replays.

Two forms, told apart by their header row:

- offsets: one column called `offset_s` or `offset_ms`, an arrival a row, counted from the stage's start;
- counts per minute: `HashOwner,HashApp,HashFunction,Trigger,1,2,...`, a function a row, as in the Azure
  Functions traces (Shahrad et al. 2020, Serverless in the Wild; AzurePublicDataset,
  `invocations_per_function_md.anon.d01.csv` and its like). The rows are added up: cut the file down to
  the functions that the target stands for.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from struct import Struct as Layout

from msgspec import Struct

from coldbench.core.errors import UsageError

_OFFSET = Layout("<q")
_UNITS_NS = {"offset_s": 1e9, "offset_ms": 1e6}
_LABELS = ("HashOwner", "HashApp", "HashFunction", "Trigger")
_MOST_NS = 366 * 86_400_000_000_000
_MINUTE_NS = 60_000_000_000
_EXPECTED = f"a column called {' or '.join(_UNITS_NS)}, or {','.join(_LABELS)},1,2,..."


class Recording(Struct, frozen=True, kw_only=True):
    """Arrivals at one target, either exactly as recorded or as counts per minute; the other one is empty.

    `offsets` are ns since the stage's start, ascending, packed as little-endian 64-bit integers: a million
    of them take 8 MB, here and in a frame.
    """

    offsets: bytes = b""
    per_minute: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """How many arrivals there are."""
        return len(self.offsets) // _OFFSET.size or sum(self.per_minute)

    @property
    def duration_ns(self) -> int:
        """To the last arrival, or to the end of the last minute."""
        if self.offsets:
            return int(_OFFSET.unpack(self.offsets[-_OFFSET.size :])[0])
        return len(self.per_minute) * _MINUTE_NS

    def exact(self) -> Iterator[int]:
        """The recorded offsets in ns, one by one."""
        return (offset for (offset,) in _OFFSET.iter_unpack(self.offsets))

    def minutes(self) -> Iterator[tuple[int, int, int]]:
        """Start in ns, length in ns and number of arrivals of each minute."""
        return ((i * _MINUTE_NS, _MINUTE_NS, count) for i, count in enumerate(self.per_minute))


def parse_trace(text: str, place: str) -> Recording:
    """The arrivals that a CSV file's `text` records; `place` is the file as the user knows it.

    Raises UsageError that names the file, the line (from 1) and what was expected.
    """
    rows = csv.reader(text.removeprefix("\ufeff").splitlines())
    try:
        header = [cell.strip() for cell in next(rows, [])]
        if len(header) == 1 and header[0] in _UNITS_NS:
            recording = _offsets(rows, _UNITS_NS[header[0]], place)
        elif _is_per_minute(header):
            recording = _per_minute(rows, len(header), place)
        else:
            raise UsageError("unknown header row", place=f"{place}: line 1", hint=f"expected {_EXPECTED}")
    except csv.Error as error:
        raise UsageError(f"not CSV: {error}", place=place) from None
    if not recording.count:
        raise UsageError("no arrivals", place=place)
    return recording


def _is_per_minute(header: Sequence[str]) -> bool:
    minutes = header[len(_LABELS) :]
    numbered = [str(number) for number in range(1, len(minutes) + 1)]
    return tuple(header[: len(_LABELS)]) == _LABELS and bool(minutes) and minutes == numbered


def _offsets(rows: Iterable[list[str]], unit_ns: float, place: str) -> Recording:
    offsets = []
    for line, row in enumerate(rows, 2):
        if not row:
            continue
        offset_ns = _number(row[0]) * unit_ns if len(row) == 1 else -1.0
        if not 0 <= offset_ns <= _MOST_NS:
            raise UsageError(
                "expected one offset of at least 0, at most a year", place=f"{place}: line {line}"
            )
        offsets.append(round(offset_ns))
    # A log has its rows in the order in which they ended.
    return Recording(offsets=b"".join(map(_OFFSET.pack, sorted(offsets))))


def _per_minute(rows: Iterable[list[str]], columns: int, place: str) -> Recording:
    totals = [0] * (columns - len(_LABELS))
    for line, row in enumerate(rows, 2):
        if not row:
            continue
        counts = row[len(_LABELS) :]
        if len(row) != columns or not all(count.isascii() and count.isdigit() for count in counts):
            hint = f"{len(_LABELS)} labels and {len(totals)} whole numbers"
            raise UsageError(f"expected {hint}", place=f"{place}: line {line}")
        totals = [total + int(count) for total, count in zip(totals, counts, strict=True)]
    return Recording(per_minute=tuple(totals))


def _number(text: str) -> float:
    """Negative where it is no number that an offset can be."""
    try:
        value = float(text)
    except ValueError:
        return -1.0
    return value if isfinite(value) else -1.0
