"""`coldbench doctor`: what a target's answers tell, before anything is measured."""

import asyncio
from uuid import uuid4

import msgspec

from coldbench.cli import options
from coldbench.cli.output import Output
from coldbench.cli.targets import TargetOptions, reachable, read_targets, with_targets
from coldbench.core.errors import NoAnswerError, UsageError
from coldbench.probe.doctor import call, diagnose
from coldbench.report.doctor import doctor_lines


@with_targets
def command(given: TargetOptions, json_to: options.JsonTo = None, quiet: options.Quiet = False) -> None:
    """Send four requests; say which evidence the answers carry, what is missing, and what to do next."""
    targets = read_targets(given)
    if len(targets) > 1:
        raise UsageError("the doctor sees one target at a time", place="--url")
    output = Output(json_to=json_to, quiet=quiet)
    with reachable(targets) as (target,):
        diagnosis = diagnose(target, asyncio.run(call(target, uuid4().hex[:12])))
    output.lines(doctor_lines(diagnosis))
    output.json(msgspec.json.format(msgspec.json.encode({"doctor": diagnosis}), indent=2) + b"\n")
    if not diagnosis.completed:
        raise NoAnswerError("the target never answered", hint=", ".join(diagnosis.errors))
