"""The pings of a keep-warm plan as somebody else's schedule: no machine of ours has to run.

Each prints what a scheduler reads. Where it has a shell, N overlapping curl calls go out, held by the shim's
header; a cloud's own timer gets N triggers at once. Nothing there proves that N instances were reached: run
`coldbench keepwarm` beside it for some rounds first, and use the pings and the hold that it settles on.
"""

import json
import shlex
from collections.abc import Callable, Sequence
from math import ceil

from coldbench.core.hold import FOR_HEADER
from coldbench.core.redact import is_secret
from coldbench.core.target import Target

_MINUTE_S = 60
_DAY_MINUTES = 24 * 60
_TARGETS_A_RULE = 5  # EventBridge's limit


def schedule(kind: str, targets: Sequence[Target], pings: int, every_s: float, hold_ms: float) -> str:
    """The schedule's text. `kind` is one of `KINDS`."""
    return KINDS[kind](targets, pings, every_s, hold_ms)


def secrets_in(targets: Sequence[Target]) -> list[str]:
    """The variables that the schedule's environment has to bring: secret headers are not printed."""
    return sorted(
        {_variable(name) for its in targets for name, value in its.headers if _secret(its, name, value)}
    )


def _secret(target: Target, name: str, value: str) -> bool:
    return is_secret(name) or any(secret and secret in value for secret in target.secrets)


def command(target: Target, pings: int, hold_ms: float) -> str:
    """A shell command of one line: `pings` curl calls at once."""
    # curl's own words, quoted once for xargs' shell; variables of secrets are left for that to fill in.
    words = ["curl", "-gfsS", "-o", "/dev/null", "-m", f"{target.timeout_ns / 1e9:g}", "-X", target.method]
    line = shlex.join([*words, "-H", f"{FOR_HEADER}: {hold_ms:g}"])
    for name, value in target.headers:
        given = (
            f'"{name}: ${_variable(name)}"'
            if _secret(target, name, value)
            else shlex.quote(f"{name}: {value}")
        )
        line += f" -H {given}"
    if target.body:
        line += f" --data-binary {shlex.quote(target.body.decode('utf-8', 'replace'))}"
    line += f" {shlex.quote(target.endpoint)}"
    # Each number becomes the $0 of a shell; nothing of the line is replaced.
    return f"seq {pings} | xargs -P {pings} -n 1 sh -c {shlex.quote(line)}"


def _crontab(targets: Sequence[Target], pings: int, every_s: float, hold_ms: float) -> str:
    lines = [f"# {pings} overlapping pings to each target, {_said(every_s)}", "SHELL=/bin/sh"]
    # In a crontab an unescaped % is a line break.
    at = _cron(every_s)
    lines += [f"{at} {command(target, pings, hold_ms)}".replace("%", "\\%") for target in targets]
    return "\n".join(lines) + "\n"


def _systemd(targets: Sequence[Target], pings: int, every_s: float, hold_ms: float) -> str:
    starts = "\n".join(
        f"ExecStart=/bin/sh -c {_systemd_quoted(command(target, pings, hold_ms))}" for target in targets
    )
    return (
        "# /etc/systemd/system/keepwarm.service\n"
        "[Unit]\nDescription=Keep functions warm\nWants=network-online.target\n"
        "After=network-online.target\n\n"
        f"[Service]\nType=oneshot\n{starts}\n\n"
        "# /etc/systemd/system/keepwarm.timer\n"
        "[Unit]\nDescription=Keep functions warm\n\n"
        f"[Timer]\nOnBootSec=1min\nOnUnitActiveSec={every_s:g}s\nAccuracySec=1s\nRandomizedDelaySec="
        f"{every_s / 10:g}s\n\n[Install]\nWantedBy=timers.target\n"
    )


def _k8s(targets: Sequence[Target], pings: int, every_s: float, hold_ms: float) -> str:
    environment = "".join(
        f"\n            - name: {name}\n              valueFrom:\n                secretKeyRef:"
        f"\n                  name: keepwarm\n                  key: {name}"
        for name in secrets_in(targets)
    )
    script = json.dumps("; ".join(command(target, pings, hold_ms) for target in targets))
    return (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: keepwarm\nspec:\n"
        f"  schedule: {json.dumps(_cron(every_s))}\n  concurrencyPolicy: Forbid\n  jobTemplate:\n    spec:\n"
        "      backoffLimit: 0\n      template:\n        spec:\n          restartPolicy: Never\n"
        "          containers:\n          - name: ping\n            image: curlimages/curl:8.11.0\n"
        f"            command: [sh, -c, {script}]\n"
        + (f"            env:{environment}\n" if environment else "")
    )


def _github(targets: Sequence[Target], pings: int, every_s: float, hold_ms: float) -> str:
    environment = "".join(f"\n      {name}: ${{{{ secrets.{name} }}}}" for name in secrets_in(targets))
    steps = "".join(f"\n      - run: {json.dumps(command(target, pings, hold_ms))}" for target in targets)
    return (
        "# .github/workflows/keepwarm.yml; GitHub starts schedules late and at most every five minutes\n"
        f"name: keepwarm\non:\n  schedule:\n    - cron: {json.dumps(_cron(max(every_s, 5 * _MINUTE_S)))}\n"
        "jobs:\n  ping:\n    runs-on: ubuntu-latest\n"
        + (f"    env:{environment}\n" if environment else "")
        + f"    steps:{steps}\n"
    )


def _eventbridge(targets: Sequence[Target], pings: int, every_s: float, hold_ms: float) -> str:
    """CloudFormation; the function is a parameter, since a schedule calls it by its ARN and not by a URL."""
    minutes = max(1, int(every_s // _MINUTE_S))
    event = json.dumps({"headers": {FOR_HEADER.lower(): f"{hold_ms:g}"}, "coldbench": "keepwarm"})
    resources: dict[str, object] = {}
    for rule in range(ceil(pings / _TARGETS_A_RULE)):
        members = range(rule * _TARGETS_A_RULE, min(pings, (rule + 1) * _TARGETS_A_RULE))
        resources[f"Rule{rule}"] = {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "ScheduleExpression": f"rate({minutes} minute{'s' if minutes > 1 else ''})",
                "Targets": [
                    {"Id": f"ping{member}", "Arn": {"Ref": "FunctionArn"}, "Input": event}
                    for member in members
                ],
            },
        }
        resources[f"Permission{rule}"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "FunctionArn"},
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": [f"Rule{rule}", "Arn"]},
            },
        }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {"FunctionArn": {"Type": "String"}},
        "Resources": resources,
    }
    return json.dumps(template, indent=2) + "\n"


def _aliyun(targets: Sequence[Target], pings: int, every_s: float, hold_ms: float) -> str:
    """Triggers of Serverless Devs' `s.yaml` (fc3); the payload reaches the handler, which has to hold."""
    minutes = max(1, int(every_s // _MINUTE_S))
    payload = json.dumps(json.dumps({"headers": {FOR_HEADER: f"{hold_ms:g}"}, "coldbench": "keepwarm"}))
    triggers = "".join(
        f"  - triggerName: keepwarm-{number}\n    triggerType: timer\n    triggerConfig:\n"
        f'      cronExpression: "@every {minutes}m"\n      enable: true\n      payload: {payload}\n'
        for number in range(pings)
    )
    return f"# under the props of an fc3 resource in s.yaml\ntriggers:\n{triggers}"


KINDS: dict[str, Callable[[Sequence[Target], int, float, float], str]] = {
    "crontab": _crontab,
    "systemd": _systemd,
    "k8s-cronjob": _k8s,
    "github-actions": _github,
    "eventbridge": _eventbridge,
    "aliyun-timer": _aliyun,
}


def _cron(every_s: float) -> str:
    """The period of a cron line that is no longer: whole minutes that divide an hour, or hours that divide a
    day, since cron begins anew with each."""
    minutes = max(1, min(int(every_s // _MINUTE_S), _DAY_MINUTES))
    if minutes < 60:
        step = max(divisor for divisor in range(1, minutes + 1) if 60 % divisor == 0)
        return "* * * * *" if step == 1 else f"*/{step} * * * *"
    step = max(divisor for divisor in range(1, minutes // 60 + 1) if 24 % divisor == 0)
    return "0 * * * *" if step == 1 else f"0 */{step} * * *"


def _said(every_s: float) -> str:
    return f"at least every {every_s:g} s" + (
        ": cron has no shorter period than a minute" if every_s < _MINUTE_S else ""
    )


def _variable(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name.upper())


def _systemd_quoted(text: str) -> str:
    """systemd.service(5): within double quotes backslashes escape; % and $ are specifiers and variables."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
