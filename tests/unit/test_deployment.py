"""What answers tell of the deployment behind them."""

import pytest

from coldbench.core.invocation import Evidence
from coldbench.evidence.deployment import DeploymentTally

REPORT = "REPORT RequestId: x\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB"


def tallied(*evidence: Evidence) -> DeploymentTally:
    tally = DeploymentTally()
    for one in evidence:
        tally.add(one)
    return tally


@pytest.mark.parametrize(
    ("platform", "raw", "told"),
    [
        (
            "aws_lambda_invoke",
            {"x-amz-executed-version": "7", "x-amz-log-result": REPORT},
            {"memory_mb": "128", "version": "7"},
        ),
        ("aliyun_fc2", {"x-fc-code-checksum": "12539"}, {"code": "12539"}),
        (
            "huawei_functiongraph",
            {"x-cff-invoke-summary": '{"duration":1.9,"memorySize":256}'},
            {"memory_mb": "256"},
        ),
        ("huawei_functiongraph", {"x-cff-invoke-summary": "soon"}, {}),
        ("aws_lambda_invoke", {"x-fc-code-checksum": "12539"}, {}),  # another platform's
        ("of-my-own", {"x-fc-code-checksum": "12539"}, {}),
        (None, {"x-fc-code-checksum": "12539"}, {}),
    ],
)
def test_it_is_read_by_platform(platform: str | None, raw: dict[str, str], told: dict[str, str]) -> None:
    assert tallied(Evidence(platform=platform, raw=raw)).deployment() == told


def test_a_deployment_within_the_run_is_said() -> None:
    codes = ("1", "1", "2")
    tally = tallied(*(Evidence(platform="aliyun_fc2", raw={"x-fc-code-checksum": code}) for code in codes))
    assert tally.deployment() == {"code": "1, 2"}
    assert list(tally.notes()) == ["answers name several deployments, by code: 1, 2"]


def test_no_more_than_some_are_kept() -> None:
    many = (Evidence(platform="aliyun_fc2", raw={"x-fc-code-checksum": str(code)}) for code in range(100))
    assert len(tallied(*many).deployment()["code"].split(", ")) == 8
