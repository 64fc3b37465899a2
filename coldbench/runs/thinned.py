"""What pictures are drawn of: bounded readings of `samples.db`, summed up or thinned by SQLite itself.

No invocation is held as an object, so that a million of them are read in seconds and in little memory.
Instants and durations are nanoseconds, as in the file. A verdict is None where nothing is judged yet.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from coldbench.core.rounds import CONNECTED, UNCONNECTED
from coldbench.core.verdict import ColdKind, Verdict

# Knuth, The Art of Computer Programming, vol. 3, 6.4: multiplicative hashing spreads consecutive numbers
# evenly, so that a part of them is taken that follows no rhythm of the schedule.
_HASH = "(seq * 2654435761 % 4294967296)"
_HASHES = 1 << 32

_WAIT = "ifnull(first_byte_ns, end_ns) - sent_ns"
_JUDGED = "invocation LEFT JOIN judged USING (seq)"


class Group(NamedTuple):
    """The invocations of one target that got one verdict."""

    target: str
    verdict: Verdict | None


class Point(NamedTuple):
    """One invocation: when it was sent, and how long until it was answered or given up."""

    at_ns: int
    wait_ns: int


class Rank(NamedTuple):
    """Of n sorted waits the one of this rank, from 1."""

    rank: int
    n: int
    wait_ns: int


class Waits(NamedTuple):
    """Whose waits they are; kinds of cold starts are never pooled."""

    target: str
    verdict: Verdict
    kind: ColdKind | None


class Instance(NamedTuple):
    """One instance of a target: its first and last use, and its invocations."""

    name: str
    first_ns: int
    last_ns: int
    invocations: int


class Busy(NamedTuple):
    """One invocation of an instance, or several too near one another to be told apart."""

    instance: str
    verdict: Verdict | None
    from_ns: int
    to_ns: int


class Arrivals(NamedTuple):
    """Invocations by the number of the interval that they were intended for, and sent in."""

    intended: Mapping[int, int]
    sent: Mapping[int, int]


def end_ns(samples: sqlite3.Connection) -> int:
    """The last instant of the run; 0 when there is none."""
    (end,) = samples.execute(
        "SELECT max(max(intended_ns), ifnull(max(end_ns), 0), ifnull(max(sent_ns), 0)) FROM invocation"
    ).fetchone()
    return end or 0


def groups(samples: sqlite3.Connection) -> dict[Group, int]:
    """How many invocations of each kind were sent, and answered or given up."""
    return {
        Group(target, _verdict(verdict)): number
        for target, verdict, number in samples.execute(
            f"SELECT target, verdict, count(*) FROM {_JUDGED} WHERE {_WAIT} NOT NULL GROUP BY 1, 2"
        )
    }


def points(
    samples: sqlite3.Connection, most: Mapping[Group, int], known: Mapping[Group, int]
) -> dict[Group, list[Point]]:
    """About `most` of each group's `known` invocations, each with the same chance; all where they are fewer.

    `known` is what `groups` says of the same samples.
    """
    samples.execute("CREATE TEMP TABLE share (target, verdict, hashes)")
    samples.executemany(
        "INSERT INTO share VALUES (?, ?, ?)",
        [
            (target, verdict or "", _HASHES * min(most[group], number) // number)
            for group, number in known.items()
            for target, verdict in [group]
        ],
    )
    found: dict[Group, list[Point]] = {group: [] for group in known}
    for target, verdict, at_ns, wait_ns in samples.execute(
        f"""SELECT invocation.target, judged.verdict, sent_ns, {_WAIT} AS wait
            FROM {_JUDGED}
            JOIN share ON share.target = invocation.target AND share.verdict = ifnull(judged.verdict, '')
            WHERE wait NOT NULL AND {_HASH} < hashes ORDER BY seq"""
    ):
        found[Group(target, _verdict(verdict))].append(Point(at_ns, wait_ns))
    samples.execute("DROP TABLE share")
    return found


def ranks(samples: sqlite3.Connection, most: int) -> dict[Waits, list[Rank]]:
    """The waits of cold and warm invocations, sorted: the least, the greatest and about `most` between.

    Without those cold ones whose start may have begun before them (`core.rounds.behind_connection`).
    """
    found: dict[Waits, list[Rank]] = {}
    for target, verdict, kind, rank, n, wait_ns in samples.execute(
        """WITH ranked AS (
               SELECT target, verdict, cold_kind, first_byte_ns - sent_ns AS wait,
                   row_number() OVER (whose ORDER BY first_byte_ns - sent_ns) AS rank,
                   count(*) OVER whose AS n
               FROM invocation JOIN judged USING (seq)
               WHERE first_byte_ns - sent_ns NOT NULL AND (verdict = 'warm'
                   OR verdict = 'cold' AND substr(phase, instr(phase, ':') + 1) NOT IN (?, ?))
               WINDOW whose AS (PARTITION BY target, verdict, cold_kind)
           )
           SELECT target, verdict, cold_kind, rank, n, wait FROM ranked
           WHERE rank IN (1, n) OR rank % max(1, n / ?) = 0 ORDER BY target, verdict, cold_kind, rank""",
        (CONNECTED, UNCONNECTED, most),
    ):
        whose = Waits(target, Verdict(verdict), ColdKind(kind) if kind else None)
        found.setdefault(whose, []).append(Rank(rank, n, wait_ns))
    return found


def instances(samples: sqlite3.Connection, target: str) -> list[Instance]:
    """Those that answered, in the order of their first use."""
    return [
        Instance(*row)
        for row in samples.execute(
            """SELECT instance, min(sent_ns) AS first, max(end_ns), count(*) FROM invocation
               WHERE target = ? AND instance NOT NULL AND end_ns NOT NULL GROUP BY instance ORDER BY first""",
            (target,),
        )
    ]


def busy(samples: sqlite3.Connection, target: str, names: list[str], resolution_ns: int) -> Iterator[Busy]:
    """When the named instances were used; what lies nearer together than the resolution is one."""
    samples.execute("CREATE TEMP TABLE drawn (instance PRIMARY KEY)")
    samples.executemany("INSERT INTO drawn VALUES (?)", [(name,) for name in names])
    rows = samples.execute(
        f"""SELECT instance, verdict, min(sent_ns), max(end_ns) FROM {_JUDGED} JOIN drawn USING (instance)
            WHERE target = ? AND end_ns NOT NULL GROUP BY instance, verdict, sent_ns / ?
            ORDER BY 1, 2, 3""",
        (target, resolution_ns),
    ).fetchall()
    samples.execute("DROP TABLE drawn")
    last: Busy | None = None
    for name, verdict, from_ns, to_ns in rows:
        this = Busy(name, _verdict(verdict), from_ns, to_ns)
        if last and last[:2] == this[:2] and from_ns - last.to_ns < resolution_ns:
            last = last._replace(to_ns=max(last.to_ns, to_ns))
            continue
        if last:
            yield last
        last = this
    if last:
        yield last


def arrivals(samples: sqlite3.Connection, interval_ns: int) -> Arrivals:
    """Of all targets together."""
    intended, sent = (
        dict(
            samples.execute(
                f"SELECT {instant} / ?, count(*) FROM invocation WHERE {instant} NOT NULL GROUP BY 1",
                (interval_ns,),
            ).fetchall()
        )
        for instant in ("intended_ns", "sent_ns")
    )
    return Arrivals(intended, sent)


def _verdict(text: str | None) -> Verdict | None:
    return None if text is None else Verdict(text)
