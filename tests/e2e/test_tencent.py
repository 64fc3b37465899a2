"""`tencent:` URLs against a double of SCF that checks each signature."""

import json
from email.message import Message
from pathlib import Path

import pytest
from msgspec.structs import replace

from coldbench.cli.targets import TargetOptions, read_targets
from coldbench.core.errors import UsageError
from coldbench.core.target import Target
from coldbench.engine.request import RequestTemplate
from tests.e2e import tencent_double
from tests.e2e.cli import carried_out, coldbench, nowhere

pytest.importorskip("tencentcloud.common")

CREDENTIALS = {
    "TENCENTCLOUD_SECRET_ID": tencent_double.IDENTITY,
    "TENCENTCLOUD_SECRET_KEY": tencent_double.SECRET,
    "TENCENTCLOUD_TOKEN": tencent_double.TOKEN,
    "TENCENTCLOUD_REGION": "ap-guangzhou",
}
SECRETS = (*list(CREDENTIALS.values())[:3], tencent_double.LOGGED, "TC3-HMAC-SHA256")


def verified(target: Target, head: bytes) -> str | None:
    sent = Message()
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        sent[name] = value
    return tencent_double.what_is_wrong("POST", "/", sent, target.body)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("credentials")
def test_the_request_is_signed() -> None:
    (target,) = read_targets(TargetOptions(url=["tencent:shop/hello:live"], data='{"a": "ü"}'))
    head, _, body = RequestTemplate(target, "run").render(0).partition(b"\r\n\r\n")
    assert target.endpoint == "https://scf.tencentcloudapi.com/"
    assert json.loads(body) == {
        "Namespace": "shop",
        "FunctionName": "hello",
        "Qualifier": "live",
        "LogType": "Tail",
        "Event": '{"a": "ü"}',
    }
    assert verified(target, head) is None
    assert verified(replace(target, body=b"{}"), head) == "AuthFailure.SignatureFailure"
    (bare,) = read_targets(TargetOptions(url=["tencent:hello"]))
    assert json.loads(bare.body) == {"FunctionName": "hello", "LogType": "Tail"}
    assert verified(bare, RequestTemplate(bare, "run").render(0).partition(b"\r\n\r\n")[0]) is None


@pytest.mark.slow
def test_a_run_reads_the_log_and_leaks_nothing(tmp_path: Path) -> None:
    with tencent_double.serve(idle_s=0.2) as double:
        url = f"tencent:hello?endpoint={double.endpoint}"
        run = coldbench(
            *("run", "--url", url, "-d", "{}", "--seed", "1", "--json", "run.json"),
            *("--profile", "burst", "--set", "size=2", "--set", "idle.duration=600ms", "--set", "repeat=2"),
            cwd=tmp_path,
            **CREDENTIALS,
        )
        doctor = coldbench("doctor", "--url", url, cwd=tmp_path, **CREDENTIALS)
    carried_out(run)
    carried_out(doctor)
    assert double.refused == []
    assert {tuple(asked.items()) for asked in double.asked} == {
        (("FunctionName", "hello"), ("LogType", "Tail"), ("Event", "{}")),
        (("FunctionName", "hello"), ("LogType", "Tail")),
    }
    record = json.loads((tmp_path / "run.json").read_text())
    (result,) = record["results"]
    assert record["targets"][0]["platform"] == "tencent_scf"
    assert record["targets"][0]["evidence_level"] == 3
    assert (result["exec_ms"]["max"], result["init_ms"]["max"]) == (0.533, tencent_double.INIT_MS)
    assert result["verdicts"]["discarded"] == 0
    assert result["verdicts"]["cold"] >= 2
    assert "platform  Tencent Cloud SCF (tencent_scf), by the URL, tencent:" in doctor.stdout
    nowhere(SECRETS, tmp_path, run, doctor)


def test_the_apis_own_error_is_not_the_functions_answer(tmp_path: Path) -> None:
    with tencent_double.serve(idle_s=1) as double:
        url = f"tencent:other?endpoint={double.endpoint}"
        doctor = coldbench("doctor", "--url", url, cwd=tmp_path, **CREDENTIALS)
    assert "not the function's answer: the API's error ResourceNotFound.FunctionName" in doctor.stdout


def test_without_credentials_nothing_is_sent(tmp_path: Path) -> None:
    with tencent_double.serve(idle_s=1) as double:
        url = f"tencent:hello?region=ap-guangzhou&endpoint={double.endpoint}"
        done = coldbench("doctor", "--url", url, cwd=tmp_path, HOME=str(tmp_path))
    assert done.returncode == 2, done.stderr
    assert "there are no credentials to sign with" in done.stderr
    assert (double.refused, double.asked) == ([], [])


@pytest.mark.parametrize(
    ("url", "data", "words"),
    [
        ("tencent:", None, "not a function's name"),
        ("tencent:a/b/c?region=x", None, "not a function's name"),
        ("tencent:a?colour=red", None, "unknown key 'colour'"),
        ("tencent:a", None, "nobody says the region"),
    ],
)
def test_a_bad_url_says_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, url: str, data: str | None, words: str
) -> None:
    monkeypatch.delenv("TENCENTCLOUD_REGION", raising=False)
    with pytest.raises(UsageError, match=words):
        read_targets(TargetOptions(url=[url], data=data))


def test_an_event_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "event").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="has to be text"):
        read_targets(TargetOptions(url=["tencent:a?region=x"], data=f"@{tmp_path}/event"))
