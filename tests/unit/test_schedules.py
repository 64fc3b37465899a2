"""Schedules for elsewhere: each goes through its own checker, and the shell command really runs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from coldbench.core.target import Target
from coldbench.report.schedules import _cron, command, schedule, secrets_in
from tests.e2e.raw_server import Visit, ok, raw_server

TARGET = Target(
    name="f",
    url="u",
    endpoint="https://f.example.com/a?b=N&c='d'%20e",
    method="POST",
    headers=(("X-Plain", "it's 100%"), ("Authorization", "Bearer very-secret")),
    body=b'{"N": "{}"}',
)


def made(kind: str, every_s: float = 240) -> str:
    return schedule(kind, [TARGET], 7, every_s, 75)


@pytest.mark.parametrize(
    "kind", ["crontab", "systemd", "k8s-cronjob", "github-actions", "eventbridge", "aliyun-timer"]
)
def test_no_secret_is_printed(kind: str) -> None:
    assert "very-secret" not in made(kind)
    assert secrets_in([TARGET]) == ["AUTHORIZATION"]


def test_what_a_header_takes_from_the_environment_is_not_printed() -> None:
    target = replace(TARGET, headers=(("X-Own", "a very-own"), ("X-Plain", "b")), secrets=("very-own", ""))
    assert "very-own" not in command(target, 1, 0)
    assert secrets_in([target]) == ["X_OWN"]


def test_the_command_sends_overlapping_pings_as_they_were_asked_for() -> None:
    async def hello(visit: Visit) -> bytes:
        return ok(b"hello")

    with raw_server(hello) as server:
        target = Target(
            name="f",
            url="u",
            endpoint=f"{server.url}N?a={{}}",
            method="POST",
            headers=TARGET.headers,
            body=TARGET.body,
        )
        done = subprocess.run(
            ["sh", "-c", command(target, 3, 75)],
            env={"PATH": "/usr/bin:/bin", "AUTHORIZATION": "Bearer of-the-environment"},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        assert len(server.visits) == 3
        visit = server.visits[0]
    assert visit.head.startswith(b"POST /N?a=")
    assert b"X-Coldbench-Hold-Ms: 75\r\n" in visit.head
    assert b"X-Plain: it's 100%\r\n" in visit.head
    assert b"Authorization: Bearer of-the-environment\r\n" in visit.head
    assert visit.body == TARGET.body


@pytest.mark.parametrize(
    ("every_s", "cron"),
    [
        (1, "* * * * *"),
        (60, "* * * * *"),
        (240, "*/4 * * * *"),
        (420, "*/6 * * * *"),  # seven minutes do not divide an hour: never later than asked
        (1800, "*/30 * * * *"),
        (3600, "0 * * * *"),
        (5 * 3600, "0 */4 * * *"),
        (10**6, "0 */24 * * *"),
    ],
)
def test_a_cron_line_is_never_less_often(every_s: float, cron: str) -> None:
    assert _cron(every_s) == cron


def test_a_crontab_line_has_its_command_whole() -> None:
    line = made("crontab").splitlines()[-1]
    assert line.startswith("*/4 * * * * seq 7 |")
    assert line.removeprefix("*/4 * * * * ").replace("\\%", "%") == command(TARGET, 7, 75)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="NOT CHECKED: no systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    service, timer = made("systemd").split("# /etc/systemd/system/keepwarm.timer\n")
    (tmp_path / "keepwarm.service").write_text(service)
    (tmp_path / "keepwarm.timer").write_text(timer)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "keepwarm.service", "keepwarm.timer"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    said = [line for line in done.stderr.splitlines() if "keepwarm" in line]
    assert not said, done.stderr


def test_kubernetes_takes_the_cron_job() -> None:
    import kubernetes_validate

    document = yaml.safe_load(made("k8s-cronjob"))
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    script = document["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"][2]
    assert script == command(TARGET, 7, 75)


@pytest.mark.parametrize(
    ("kind", "name", "check"),
    [
        (
            "github-actions",
            "keepwarm.yml",
            [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"],
        ),
        ("eventbridge", "template.json", [str(Path(sys.executable).parent / "cfn-lint")]),
    ],
)
def test_the_vendors_own_checkers_take_it(tmp_path: Path, kind: str, name: str, check: list[str]) -> None:
    (tmp_path / name).write_text(made(kind))
    done = subprocess.run([*check, str(tmp_path / name)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_of_eventbridge_has_five_targets_at_most() -> None:
    resources = json.loads(made("eventbridge"))["Resources"]
    rules = [r["Properties"]["Targets"] for r in resources.values() if r["Type"] == "AWS::Events::Rule"]
    assert [len(rule) for rule in rules] == [5, 2]


def test_aliyun_gets_as_many_triggers() -> None:
    triggers = yaml.safe_load(made("aliyun-timer"))["triggers"]
    assert len(triggers) == 7
    assert triggers[0]["triggerConfig"]["cronExpression"] == "@every 4m"
    assert json.loads(triggers[0]["triggerConfig"]["payload"])["headers"] == {"X-Coldbench-Hold-Ms": "75"}
