"""The lab speaks the platforms' dialects, and its own reader understands them."""

from types import SimpleNamespace
from typing import cast

import pytest

from coldbench.core.errors import UsageError
from coldbench.core.function_spec import EvidenceMode
from coldbench.evidence.headers import from_pairs
from coldbench.evidence.platforms import GENERIC, platforms
from coldbench.evidence.read import read
from coldbench.evidence.recognise import platform_of
from coldbench.lab.call import Answer
from coldbench.lab.dialect import spoken
from coldbench.lab.evidence import outgoing
from coldbench.lab.instance import Instance
from coldbench.lab.truth import Served
from coldbench.targets.lab import parse_lab_url


def served(number: int) -> Served:
    instance = cast(Instance, SimpleNamespace(identity="i1", init_us=80_000))
    return Served(instance=instance, number=number, arrival_us=0, answered_us=9_000, exec_ms=3.87)


@pytest.mark.parametrize("platform", sorted(platforms().keys() - {GENERIC}))
@pytest.mark.parametrize("number", [1, 2])
def test_what_a_dialect_tells_is_read_as_the_truth(platform: str, number: int) -> None:
    its = platforms()[platform]
    headers = from_pairs(spoken(its, served(number)))
    assert platform_of(headers, "127.0.0.1") == (platform if its.signs else None)
    evidence = read(headers, status=200, cold_header=None, instance_header=None, platform=platform)
    assert evidence.answered_by != "cache"
    assert evidence.instance in (None, "i1")
    assert evidence.cold_flag in (None, number == 1)
    assert evidence.exec_ms is None or 3.87 <= evidence.exec_ms <= 4


def test_function_compute_rounds_up_and_code_engine_says_prewarmed() -> None:
    assert dict(spoken(platforms()["aliyun_fc2"], served(1)))["X-Fc-Invocation-Duration"] == "4"
    assert dict(spoken(platforms()["openfaas"], served(1)))["X-Duration-Seconds"] == "0.003870"
    assert dict(spoken(platforms()["ibm_code_engine"], served(1)))["x-faas-prewarmed"] == "false"
    assert dict(spoken(platforms()["ibm_code_engine"], served(2)))["x-faas-prewarmed"] == "true"


def test_billing_tells_executions_in_whole_steps() -> None:
    billed = dict(spoken(platforms()["aliyun_fc2"], served(1), 100_000_000))
    assert billed["X-Fc-Invocation-Duration"] == "100"
    with pytest.raises(UsageError, match="needs the dialect"):
        parse_lab_url("lab:python?billing=100ms")


def test_the_labs_own_headers_give_way_and_nothing_is_said_without_evidence() -> None:
    answer = Answer(status=200, headers=[], body=b"")
    vercel = platforms()["vercel"]
    names = {name for name, _ in outgoing(answer, served(1), EvidenceMode.HEADERS, vercel)}
    assert "x-vercel-id" in names
    assert "X-Cold-Start" not in names
    assert outgoing(answer, served(1), EvidenceMode.NONE, vercel) == []


def test_an_unknown_dialect_is_a_usage_error() -> None:
    assert parse_lab_url("lab:python?dialect=vercel").dialect == "vercel"
    with pytest.raises(UsageError, match=r"no platform of the table is called .*vercel"):
        parse_lab_url("lab:python?dialect=versel")
