"""The live view: one view on a terminal, plain lines elsewhere, and never an error into the run."""

from io import StringIO

from coldbench.cli.output import PlainConsole
from coldbench.report.live import LiveView, Now


def console(stream: StringIO, *, terminal: bool, kind: str = "xterm") -> PlainConsole:
    return PlainConsole(file=stream, force_terminal=terminal, width=100, _environ={"TERM": kind})


def at(seconds: float, phase: str = "1:burst", **fields: int) -> Now:
    known = {"dispatched": 20, "planned": 60, "completed": 10, "errors": 0, "in_flight": 10}
    return Now(phase=phase, at_s=seconds, expected_s=30.0, **(known | fields))


class Gone(StringIO):
    """A terminal that was closed."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_plain_lines_at_each_phase_and_every_few_seconds() -> None:
    stream = StringIO()
    with LiveView(console(stream, terminal=False)) as live:
        for seconds in (0.1, 0.2, 4.0, 5.2):
            live.now(at(seconds, "0:idle"))
        live.verdicts({"python": {"cold": 3, "warm": 0}, "node": {"cold": 1}})
        live.now(at(5.3))
    lines = stream.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["0.1", "5.2", "5.3"]
    assert lines[-1].strip() == "5.3 s  1:burst  20 of 60 sent, 10 in flight, 0 errors; 4 cold"


def test_a_dumb_terminal_gets_plain_lines() -> None:
    stream = StringIO()
    with LiveView(console(stream, terminal=True, kind="dumb")) as live:
        live.now(at(1.0))
    assert "20 of 60 sent" in stream.getvalue()
    assert "\x1b[2K" not in stream.getvalue()


def test_the_view_on_a_terminal() -> None:
    stream = StringIO()
    with LiveView(console(stream, terminal=True)) as live:
        live.now(at(1.0, dispatched=10))
        live.now(at(2.0, dispatched=35, errors=2))
        live.verdicts({"python": {"cold": 3, "cold_affected": 7}})
        live.stopping()
        shown = stream.getvalue()
    for part in (
        "1:burst",
        "2s of 30s",
        "35 of 60 sent",
        "25/s",
        "2 errors",
        "cold 3   cold affected 7",
        "stopping",
    ):
        assert part in shown


def test_the_terminal_is_left_as_it_was() -> None:
    stream = StringIO()
    try:
        with LiveView(console(stream, terminal=True)) as live:
            live.now(at(1.0))
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    hidden, shown = "\x1b[?25l", "\x1b[?25h"
    written = stream.getvalue()
    assert written.rindex(shown) > written.rindex(hidden)
    assert written.rindex("\x1b[2K") > written.rindex("1:burst")


def test_a_plan_without_an_end_is_shown_by_time() -> None:
    stream = StringIO()
    with LiveView(console(stream, terminal=True)) as live:
        live.now(Now(phase="0:users", at_s=40.0, expected_s=30.0, dispatched=7, planned=None, completed=7,
                     errors=0, in_flight=0))  # fmt: skip
    assert "40s of 40s" in stream.getvalue()
    assert "7 sent" in stream.getvalue()


def test_a_terminal_that_has_gone_does_not_end_the_run() -> None:
    for terminal in (True, False):
        view = LiveView(console(Gone(), terminal=terminal))
        with view as live:
            live.now(at(1.0))
            live.stopping()
            live.now(at(9.0))


def test_a_hostile_phase_is_text() -> None:
    stream = StringIO()
    with LiveView(console(stream, terminal=False)) as live:
        live.now(at(1.0, "[red]\x1b[2J"))
    assert "[red]\\x1b[2J" in stream.getvalue()
