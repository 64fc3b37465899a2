"""`coldbench selftest`: the tool against the lab, whose truth is known."""

from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import typer

from coldbench.cli import options
from coldbench.cli.output import Output
from coldbench.cli.selfcases import (
    CASES,
    CONCURRENCIES,
    LIFETIMES_S,
    measure,
    recover_concurrency,
    recover_lifetime,
)
from coldbench.core.accuracy import Selftest
from coldbench.report.selftest import selftest_lines

_QUICK, _FULL = 1, 4
_SHIM = 2  # the evidence level of a function that carries it


def command(
    quick: Annotated[
        bool, typer.Option("--quick", help="A quarter of the invocations: four minutes instead of twenty.")
    ] = False,
    json_to: options.JsonTo = None,
    quiet: options.Quiet = False,
    seed: options.Seed = None,
) -> None:
    """Run the tool against the local platform, and show its own errors."""
    output = Output(json_to=json_to, quiet=quiet)
    times, seed = _QUICK if quick else _FULL, seed or 0

    def begin(what: str) -> None:
        output.console.print(f"{what} ...", style="dim")

    verdicts, estimates = [], []
    with TemporaryDirectory(prefix="coldbench-selftest-") as name:
        folder = Path(name)
        for case in CASES:
            for level in case.levels:
                begin(f"{case.name}, evidence level {level}")
                verdicts.append(measure(case, level, folder, times, seed))
        for lifetime_s in LIFETIMES_S[:times]:
            begin(f"an idle lifetime of {lifetime_s} s")
            estimates.append(recover_lifetime(lifetime_s, _SHIM, folder, seed))
        for concurrency, level in product(CONCURRENCIES[:times], (0, _SHIM)):
            begin(f"{concurrency} calls at once, evidence level {level}")
            estimates.append(recover_concurrency(concurrency, level, folder, seed))
    found = Selftest(verdicts=tuple(verdicts), estimates=tuple(estimates))
    output.lines(selftest_lines(found, "simple"))
    output.json(msgspec.json.format(msgspec.json.encode({"selftest": found}), indent=2) + b"\n")
