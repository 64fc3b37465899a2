"""`coldbench doctor` on each platform's recorded answer, served on loopback under the platform's host."""

import asyncio
import json
from pathlib import Path

import pytest

from coldbench.core.target import Target
from coldbench.probe.doctor import Diagnosis, call, diagnose
from coldbench.report.doctor import doctor_lines
from tests.e2e.cli import carried_out, coldbench
from tests.e2e.raw_server import Visit, ok, raw_server
from tests.recorded import recorded, recorded_platforms

LEVEL_1 = {"aliyun_fc2", "generic", "huawei_functiongraph", "ibm_code_engine", "openfaas"}
NAMED = {
    "generic": "not recognised",
    "knative": "perhaps Knative Serving (knative)",
    "digitalocean_functions": "perhaps DigitalOcean Functions (digitalocean_functions)",
}


def diagnosed(host: str, wire: bytes) -> Diagnosis:
    async def as_recorded(visit: Visit) -> bytes:
        return wire

    with raw_server(as_recorded) as server:
        target = Target(
            name="f",
            url=f"https://{host}/",
            endpoint=f"http://{host}:{server.port}/",
            resolve={f"{host}:{server.port}": "127.0.0.1"},
        )
        return diagnose(target, asyncio.run(call(target, "run")))


@pytest.mark.parametrize("platform", recorded_platforms())
def test_the_doctor_names_the_platform_and_its_level(platform: str) -> None:
    answer = recorded(platform)
    diagnosis = diagnosed(answer.host, answer.wire)
    assert diagnosis.completed == 4
    assert diagnosis.evidence_level == int(platform in LEVEL_1)
    assert diagnosis.platform == (None if platform in NAMED else platform)
    said = "\n".join(doctor_lines(diagnosis))
    assert f"evidence  level {int(platform in LEVEL_1)}" in said
    assert NAMED.get(platform, f"({platform}), by the ") in said.split("platform  ")[1].splitlines()[0]


def test_why_a_platform_always_reports_100_ms_of_execution() -> None:
    answer = recorded("aliyun_fc2")
    wire = answer.wire.replace(b"Invocation-Duration: 4\r\n", b"Invocation-Duration: 100\r\n")
    (why,) = (said for said in diagnosed(answer.host, wire).warnings if "100 ms" in said)
    assert "the platform reports billed, not measured, time; callers waited " in why


def test_a_run_reads_the_platforms_of_ones_own_table(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[platform.house]\nname = "Our house"\nsigns = ["x-house"]\n'
        'fields = [{ name = "X-Took", tells = "exec_ms", unit = "us", verified = "documented" }]\n'
    )

    async def house(visit: Visit) -> bytes:
        return ok(b"hello", b"X-House: 1", b"X-Took: 1500")

    with raw_server(house) as server:
        load = ("--profile", "burst", "--set", "size=5", "--set", "idle.duration=0s", "--set", "repeat=1")
        asked = ("run", "--url", server.url, "--platforms", "mine.toml", *load, "--json", "run.json")
        done = coldbench(*asked, cwd=tmp_path)
    carried_out(done)
    run = json.loads((tmp_path / "run.json").read_text())
    assert (run["targets"][0]["platform"], run["results"][0]["exec_ms"]["p50"]) == ("house", 1.5)
