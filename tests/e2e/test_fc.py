"""`fc:` URLs against a double of Function Compute that checks each signature and each nonce."""

import json
from email.message import Message
from pathlib import Path

import pytest

from coldbench.core.errors import UsageError
from coldbench.core.request import request_target
from coldbench.core.target import Target
from coldbench.engine.request import RequestTemplate
from coldbench.targets.api import parse_api_url
from coldbench.targets.signing import signer
from tests.e2e import fc_double
from tests.e2e.cli import carried_out, coldbench, nowhere

pytest.importorskip("alibabacloud_tea_openapi")

CREDENTIALS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": fc_double.KEY_ID,
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": fc_double.SECRET,
    "ALIBABA_CLOUD_SECURITY_TOKEN": fc_double.TOKEN,
}
SECRETS = (*CREDENTIALS.values(), fc_double.LOGGED, "ACS3-HMAC-SHA256")


def fc_target(url: str, body: bytes = b"") -> Target:
    api = parse_api_url(url)
    assert api is not None
    return Target(
        name=api.name,
        url=url,
        endpoint=api.endpoint,
        method="POST",
        headers=(*api.headers, ("Content-Type", "application/json")),
        body=body,
        signing=api.signing,
    )


def verified(target: Target, fields: list[tuple[str, str]], seen: set[str]) -> str | None:
    sent = Message()
    for name, value in fields:
        sent[name] = value
    wrong = fc_double.what_is_wrong("POST", request_target(target), sent, target.body, seen)
    seen.add(sent["x-acs-signature-nonce"])
    return wrong


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("function", ["hello", "shop/hello"])
def test_each_request_has_a_signature_of_its_own(function: str) -> None:
    target = fc_target(f"fc:{function}:live?account=123&region=cn-hangzhou", b"{}")
    seen: set[str] = set()
    sign = signer(target)
    fields = sign()
    assert verified(target, fields, seen) is None
    assert verified(target, sign(), seen) is None
    assert verified(target, fields, seen) == "SignatureNonceUsed"
    template = RequestTemplate(target, "run")
    for seq in range(3):
        head, _, body = template.render(seq).partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:]]
        assert verified(target, [(name, value) for name, _, value in lines], seen) is None
        assert body == b"{}"


@pytest.mark.slow
def test_a_run_reads_the_logs_end_and_leaks_nothing(tmp_path: Path) -> None:
    with fc_double.serve(idle_s=0.2) as double:
        run = coldbench(
            *("run", "--url", f"fc:hello:live?endpoint={double.endpoint}", "-d", "{}", "--seed", "1"),
            *("--profile", "burst", "--set", "size=2", "--set", "idle.duration=600ms", "--set", "repeat=2"),
            *("--json", "run.json"),
            cwd=tmp_path,
            **CREDENTIALS,
        )
        doctor = coldbench(
            "doctor", "--url", f"fc:hello?endpoint={double.endpoint}", cwd=tmp_path, **CREDENTIALS
        )
    carried_out(run)
    carried_out(doctor)
    assert double.refused == []
    assert set(double.paths) == {
        "/2023-03-30/functions/hello/invocations",
        "/2023-03-30/functions/hello/invocations?qualifier=live",
    }
    record = json.loads((tmp_path / "run.json").read_text())
    (result,) = record["results"]
    assert record["targets"][0]["evidence_level"] == 3
    assert record["targets"][0]["platform"] == "aliyun_fc3"
    assert result["exec_ms"]["max"] == 1.23
    assert result["verdicts"]["discarded"] == 0
    assert "found     exec_ms" in doctor.stdout
    assert "found     instance: which instance answered (X-Fc-Instance-Id)" in doctor.stdout
    nowhere(SECRETS, tmp_path, run, doctor)


def test_version_2_answers_with_more(tmp_path: Path) -> None:
    with fc_double.serve(idle_s=60) as double:
        url = f"fc:shop/hello:live?endpoint={double.endpoint}"
        doctor = coldbench("doctor", "--url", url, cwd=tmp_path, **CREDENTIALS)
    carried_out(doctor)
    assert double.refused == []
    assert set(double.paths) == {"/2021-04-06/services/shop/functions/hello/invocations?qualifier=live"}
    assert "Alibaba Cloud Function Compute 2.0" in doctor.stdout
    assert "found     instance: which instance answered (X-Fc-Instance-Id)" in doctor.stdout
    assert "found     exec_ms" in doctor.stdout
    print(doctor.stdout)


def test_without_credentials_nothing_is_sent(tmp_path: Path) -> None:
    with fc_double.serve(idle_s=1) as double:
        url = f"fc:hello?endpoint={double.endpoint}"
        done = coldbench(
            "doctor",
            "--url",
            url,
            cwd=tmp_path,
            HOME=str(tmp_path),
            ALIBABA_CLOUD_ECS_METADATA_DISABLED="true",
        )
    assert done.returncode == 2, done.stderr
    assert "there are no credentials to sign with" in done.stderr
    assert (double.refused, double.paths) == ([], [])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("fc:", "not a function's name"),
        ("fc:a/b/function", "fc:SERVICE/FUNCTION for version 2.0"),
        ("fc:a?colour=red", "unknown key 'colour'"),
        ("fc:a?region=cn-hangzhou", "nobody says the account"),
        ("fc:a?account=123", "nobody says the region"),
        ("fc:a?account=1/2&region=cn-hangzhou", "nobody says the account"),
    ],
)
def test_a_bad_url_says_what_was_expected(monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    for name in ("FC_REGION", "FC_ACCOUNT_ID", "ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_ACCOUNT_ID"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError) as caught:
        parse_api_url(url)
    assert words in f"{caught.value} {caught.value.hint}"


def test_what_a_url_stands_for() -> None:
    endpoint = fc_target("fc:hello:live?account=123&region=cn-hangzhou").endpoint
    base = "https://123.cn-hangzhou.fc.aliyuncs.com"
    assert endpoint == f"{base}/2023-03-30/functions/hello/invocations?qualifier=live"
    endpoint = fc_target("fc:shop/hello?account=123&region=cn-hangzhou").endpoint
    assert endpoint == f"{base}/2021-04-06/services/shop/functions/hello/invocations"
