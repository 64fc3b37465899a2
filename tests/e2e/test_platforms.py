"""`coldbench doctor` on each platform's recorded answer, served on loopback under the platform's host."""

import asyncio

import pytest

from coldbench.core.target import Target
from coldbench.probe.doctor import call, diagnose
from coldbench.report.doctor import doctor_lines
from tests.e2e.raw_server import Visit, raw_server
from tests.recorded import recorded, recorded_platforms

LEVEL_1 = {"aliyun_fc2", "generic", "huawei_functiongraph", "ibm_code_engine", "openfaas"}
NAMED = {"generic": "not recognised", "knative": "perhaps Knative Serving (knative)"}


@pytest.mark.parametrize("platform", recorded_platforms())
def test_the_doctor_names_the_platform_and_its_level(platform: str) -> None:
    answer = recorded(platform)

    async def as_recorded(visit: Visit) -> bytes:
        return answer.wire

    with raw_server(as_recorded) as server:
        target = Target(
            name=platform,
            url=f"https://{answer.host}/",
            endpoint=f"http://{answer.host}:{server.port}/",
            resolve={f"{answer.host}:{server.port}": "127.0.0.1"},
        )
        diagnosis = diagnose(target, asyncio.run(call(target, "run")))
    assert diagnosis.completed == 4
    assert diagnosis.evidence_level == int(platform in LEVEL_1)
    assert diagnosis.platform == (None if platform in NAMED else platform)
    said = "\n".join(doctor_lines(diagnosis))
    assert f"evidence  level {int(platform in LEVEL_1)}" in said
    assert NAMED.get(platform, f"({platform}), by the ") in said.split("platform  ")[1].splitlines()[0]
