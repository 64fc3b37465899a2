"""`huawei:` URLs against a double of FunctionGraph that checks each signature."""

import json
from collections.abc import Mapping
from email.message import Message
from pathlib import Path

import pytest
from msgspec.structs import replace

from coldbench.cli.targets import TargetOptions, read_targets
from coldbench.core.errors import UsageError
from coldbench.core.request import request_target
from coldbench.core.target import Target
from coldbench.engine.request import RequestTemplate
from tests.e2e import huawei_double
from tests.e2e.cli import carried_out, coldbench, nowhere

pytest.importorskip("huaweicloudsdkcore")

URN = f"urn:fss:cn-north-4:{huawei_double.PROJECT}:function:default:hello:latest"
CREDENTIALS = {
    "HUAWEICLOUD_SDK_AK": huawei_double.KEY,
    "HUAWEICLOUD_SDK_SK": huawei_double.SECRET,
    "HUAWEICLOUD_SDK_SECURITY_TOKEN": huawei_double.TOKEN,
}
PATH = f"/v2/{huawei_double.PROJECT}/fgs/functions/{URN}/invocations"


def verified(target: Target, head: bytes) -> str | None:
    sent = Message()
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        sent[name] = value
    return huawei_double.what_is_wrong("POST", request_target(target), sent, target.body)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("body", ["", '{"a": 1}'])
def test_the_request_is_signed(body: str) -> None:
    (target,) = read_targets(TargetOptions(url=[f"huawei:{URN}"], data=body or None))
    head, _, sent = RequestTemplate(target, "run").render(0).partition(b"\r\n\r\n")
    assert target.endpoint == f"https://functiongraph.cn-north-4.myhuaweicloud.com{PATH}"
    assert head.startswith(f"POST {PATH} HTTP/1.1\r\n".encode())
    assert sent == body.encode()
    assert verified(target, head) is None
    assert verified(target, head.replace(b"X-Sdk-Date: 2", b"X-Sdk-Date: 1")) == "the signature expired"
    other = replace(target, endpoint=target.endpoint.replace("hello", "other"))
    assert verified(other, head) == "the signature does not match"


@pytest.mark.slow
def test_a_run_reads_the_summary_and_leaks_nothing(tmp_path: Path) -> None:
    with huawei_double.serve(idle_s=0.2) as double:
        url = f"huawei:{URN}?endpoint={double.endpoint}"
        run = coldbench(
            *("run", "--url", url, "-d", "{}", "--seed", "1", "--json", "run.json"),
            *("--profile", "burst", "--set", "size=2", "--set", "idle.duration=600ms", "--set", "repeat=2"),
            cwd=tmp_path,
            **CREDENTIALS,
        )
        doctor = coldbench("doctor", "--url", url, cwd=tmp_path, **CREDENTIALS)
    carried_out(run)
    carried_out(doctor)
    assert (double.refused, set(double.paths)) == ([], {PATH})
    record = json.loads((tmp_path / "run.json").read_text())
    (result,) = record["results"]
    assert record["targets"][0]["platform"] == "huawei_functiongraph"
    assert result["exec_ms"]["max"] == 1.913
    assert result["verdicts"]["discarded"] == 0
    assert "found     exec_ms: how long the function itself ran (X-Cff-Invoke-Summary)" in doctor.stdout
    nowhere((*CREDENTIALS.values(), "SDK-HMAC-SHA256"), tmp_path, run, doctor)


@pytest.mark.parametrize("environment", [{}, {"HUAWEICLOUD_SDK_AK": huawei_double.KEY}])
def test_without_credentials_nothing_is_sent(tmp_path: Path, environment: Mapping[str, str]) -> None:
    with huawei_double.serve(idle_s=1) as double:
        url = f"huawei:{URN}?endpoint={double.endpoint}"
        done = coldbench("doctor", "--url", url, cwd=tmp_path, HOME=str(tmp_path), **environment)
    assert done.returncode == 2, done.stderr
    assert "there are no credentials to sign with" in done.stderr
    assert (double.refused, double.paths) == ([], [])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("huawei:hello", "not a function's URN"),
        (f"huawei:{URN}?colour=red", "unknown key 'colour'"),
        ("huawei:urn:fss:a:b:trigger:default:hello", "not a function's URN"),
    ],
)
def test_a_bad_url_says_what_was_expected(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_targets(TargetOptions(url=[url]))
