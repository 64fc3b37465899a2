"""`lab:RUNTIME[/FUNCTION][?KEY=VALUE&...]` and `lab:./folder[?...]`: functions on the local platform."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from coldbench.core.durations import parse_duration
from coldbench.core.errors import ColdbenchError, ExitCode, UsageError
from coldbench.core.function_spec import Delay, EvidenceMode, FunctionSpec, Policy
from coldbench.evidence.platforms import GENERIC, platforms

_SAMPLES = Path(__file__).parents[1] / "lab" / "functions"
_FUNCTIONS = ("hello", "todolist")
# The program that a runtime of ours needs, and how to come by it.
_RUNTIMES = {
    "python": (sys.executable, ""),
    "node": ("node", "install Node.js"),
    "custom": ("perl", "install perl"),
    "go": ("go", "install a Go toolchain"),
}
_END_S = 10.0
_MOST_DIGITS = 9
_WIDEST_SIGMA = 5.0  # one delay in six is then more than 148 times the median


class Lab(Struct, frozen=True, kw_only=True):
    """A running lab: the base URLs of its functions, in the order they were asked for."""

    endpoints: tuple[str, ...]
    process: subprocess.Popen[str]


def parse_lab_url(url: str) -> FunctionSpec:
    """What the URL asks for. Raises UsageError that names the part and what was expected."""
    where, _, query = url.removeprefix("lab:").partition("?")
    runtime, folder = _folder(where, url) if where.startswith((".", "/", "~")) else _sample(where, url)
    values: dict[str, object] = {}
    for key, text in parse_qsl(query, keep_blank_values=True):
        if key not in _KEYS:
            raise UsageError(f"unknown key {key!r}", place=url, hint=f"there are {', '.join(_KEYS)}")
        field, read = _KEYS[key]
        try:
            values[field] = read(text)
        except (UsageError, ValueError) as error:
            raise UsageError(f"{key}: {error}", place=url) from error
    spec = replace(FunctionSpec(runtime=runtime, folder=str(folder)), **values)
    if spec.billing_ns is not None and spec.dialect is None:
        raise UsageError("billing: needs the dialect of a platform that tells executions", place=url)
    if spec.workers > 1 and spec.runtime in _RUNTIMES.keys() - {"python"}:
        raise UsageError("workers: of the samples only python's start several", place=url)
    if spec.preinit > spec.max_instances:
        raise UsageError(f"preinit: more than max, which is {spec.max_instances}", place=url)
    return spec


@contextmanager
def start_lab(specs: Sequence[FunctionSpec]) -> Iterator[Lab]:
    """The lab as a process of its own, as long as the context lasts.

    Raises ColdbenchError in its words, UsageError where what it was asked for is wrong.

    It is in a session of its own: a terminal's Ctrl-C must not reach it before the run has drained.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "coldbench.lab"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            with suppress(BrokenPipeError):  # it has ended: what it said, or did not say, tells
                process.stdin.write(msgspec.json.encode(list(specs)).decode() + "\n")
                process.stdin.flush()
            said = process.stdout.readline()
            answer = json.loads(said) if said else {"error": "the lab ended without a word"}
            if "error" in answer:
                kind = UsageError if answer.get("code") == ExitCode.USAGE else ColdbenchError
                raise kind(answer["error"], place="lab")
            yield Lab(endpoints=tuple(answer["endpoints"]), process=process)
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _sample(where: str, url: str) -> tuple[str, Path]:
    runtime, slash, function = where.partition("/")
    function = function if slash else "hello"
    if runtime not in _RUNTIMES:
        raise UsageError(
            f"unknown runtime {runtime!r}",
            place=url,
            hint=f"there are {', '.join(_RUNTIMES)}, or lab:./folder",
        )
    if function not in _FUNCTIONS:
        raise UsageError(
            f"no sample is called {function!r}", place=url, hint=f"there are {', '.join(_FUNCTIONS)}"
        )
    program, advice = _RUNTIMES[runtime]
    if shutil.which(program) is None:
        raise UsageError(f"there is no {program} on this machine", place=url, hint=advice)
    return runtime, _SAMPLES / runtime / function


def _folder(where: str, url: str) -> tuple[str, Path]:
    folder = Path(where).expanduser().resolve()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", place=url)
    return folder.name, folder


def _at_least(lowest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) >= lowest):
            expected = f"a whole number of at least {lowest}, at most {_MOST_DIGITS} digits"
            raise ValueError(f'expected {expected}, got "{text}"')
        return int(text)

    return read


def _mode(text: str) -> EvidenceMode:
    if text not in list(EvidenceMode):
        raise ValueError(f'expected {", ".join(EvidenceMode)}, got "{text}"')
    return EvidenceMode(text)


def _policy(text: str) -> Policy:
    if text not in list(Policy):
        raise ValueError(f'expected {", ".join(Policy)}, got "{text}"')
    return Policy(text)


def _wakes_on_connect(text: str) -> bool:
    if text not in ("call", "connect"):
        raise ValueError(f'expected call or connect, got "{text}"')
    return text == "connect"


def _step(text: str) -> int:
    step_ns = parse_duration(text)
    if not step_ns:
        raise ValueError("expected a duration above 0")
    return step_ns


def _dialect(text: str) -> str:
    known = platforms().keys() - {GENERIC}
    if text not in known:
        near = ", ".join(get_close_matches(text, known)) or "docs/platforms.md lists them"
        raise ValueError(f'no platform of the table is called "{text}": {near}')
    return text


def _delay(text: str) -> Delay:
    """`50ms`, `uniform:20ms-80ms`, `lognormal:50ms:0.5`."""
    kind, colon, rest = text.partition(":")
    if not colon:
        return Delay(a_ns=parse_duration(text))
    if kind == "uniform":
        low, _, high = rest.partition("-")
        delay = Delay(kind=kind, a_ns=parse_duration(low), b_ns=parse_duration(high))
        if delay.a_ns <= delay.b_ns:
            return delay
    if kind == "lognormal":
        median, _, sigma = rest.partition(":")
        delay = Delay(kind=kind, a_ns=parse_duration(median), sigma=float(sigma))
        if 0 <= delay.sigma <= _WIDEST_SIGMA:
            return delay
    raise ValueError(f'expected 50ms, uniform:20ms-80ms or lognormal:50ms:0.5, got "{text}"')


# key of the URL -> field of the record, and its reader
_KEYS: dict[str, tuple[str, Callable[[str], object]]] = {
    "idle": ("idle_ns", parse_duration),
    "concurrency": ("concurrency", _at_least(1)),
    "max": ("max_instances", _at_least(1)),
    "policy": ("policy", _policy),
    "start": ("start", _delay),
    "preinit": ("preinit", _at_least(0)),
    "wake": ("wake_on_connect", _wakes_on_connect),
    "max_age": ("max_age_ns", parse_duration),
    "workers": ("workers", _at_least(1)),
    "uses": ("uses", _at_least(1)),
    "rtt": ("round_trip_ns", parse_duration),
    "jitter": ("jitter_ns", parse_duration),
    "evidence": ("evidence", _mode),
    "dialect": ("dialect", _dialect),
    "billing": ("billing_ns", _step),
    "truth": ("truth", os.path.abspath),
    "seed": ("seed", _at_least(0)),
}
