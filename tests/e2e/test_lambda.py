"""`lambda:` URLs against a double of AWS Lambda that checks each signature."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import lambda_double
from tests.e2e.cli import carried_out, coldbench, nowhere

pytest.importorskip("botocore")


# In the environment, as CI systems have them, and nowhere else.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": lambda_double.KEY_ID,
    "AWS_SECRET_ACCESS_KEY": lambda_double.SECRET,
    "AWS_SESSION_TOKEN": lambda_double.TOKEN,
}
SECRETS = (*lambda_double.SECRETS, lambda_double.LOGGED, "AWS4-HMAC-SHA256")
CONFIGURED = {
    "AWS_REGION": lambda_double.REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def result(document: Path) -> dict[str, Any]:
    (only,) = json.loads(document.read_text())["results"]
    return only  # type: ignore[no-any-return]


@pytest.mark.slow
def test_a_run_reads_the_reports_and_leaks_nothing(tmp_path: Path) -> None:
    with lambda_double.serve(idle_s=0.2) as double:
        done = coldbench(
            *("run", "--url", f"lambda:hello:live?endpoint={double.endpoint}", "-d", '{"a": 1}'),
            *("--profile", "burst", "--set", "size=3", "--set", "idle.duration=600ms", "--set", "repeat=2"),
            *("--json", "run.json", "--seed", "1"),
            cwd=tmp_path,
            **CREDENTIALS,
            **CONFIGURED,
        )
    shown = coldbench("report", "latest", cwd=tmp_path)
    carried_out(done)
    assert double.refused == []
    assert set(double.paths) == {"/2015-03-31/functions/hello/invocations?Qualifier=live"}
    assert set(double.bodies) == {b'{"a": 1}'}
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["targets"][0]["name"] == "hello"
    assert run["targets"][0]["evidence_level"] == 3
    assert run["targets"][0]["platform"] == "aws_lambda_invoke"
    assert run["targets"][0]["deployment"] == {"memory_mb": "128", "version": "$LATEST"}
    assert result(tmp_path / "run.json")["verdicts"]["cold"] == double.started >= 2
    assert result(tmp_path / "run.json")["verdicts"]["discarded"] == 0
    nowhere(SECRETS, tmp_path, done, shown)


@pytest.mark.slow
def test_the_probe_signs_each_request_and_leaks_nothing(tmp_path: Path) -> None:
    with lambda_double.serve(idle_s=0.2) as double:
        done = coldbench(
            *("probe", "--url", f"lambda:hello?endpoint={double.endpoint}", "--gap", "500ms-600ms"),
            *("--samples", "3", "--seed", "1", "--json", "run.json"),
            cwd=tmp_path,
            **CREDENTIALS,
            **CONFIGURED,
        )
    carried_out(done)
    assert double.refused == []
    assert result(tmp_path / "run.json")["verdicts"]["cold"] == double.started >= 3
    assert result(tmp_path / "run.json")["init_ms"]["min"] == lambda_double.INIT_S * 1000
    nowhere(SECRETS, tmp_path, done)


def test_an_init_that_nobody_waited_for_is_preinitialised(tmp_path: Path) -> None:
    with lambda_double.serve(proactive=True) as double:
        done = coldbench(
            *("run", "--url", f"lambda:hello?endpoint={double.endpoint}", "--profile", "burst"),
            *("--set", "size=1", "--set", "idle.duration=100ms", "--set", "repeat=2", "--json", "run.json"),
            cwd=tmp_path,
            **CREDENTIALS,
            **CONFIGURED,
        )
    carried_out(done)
    verdicts = result(tmp_path / "run.json")["verdicts"]
    assert (verdicts["preinitialised"], verdicts["cold"], verdicts["warm"]) == (1, 0, 3)


def test_a_signature_is_not_exported(tmp_path: Path) -> None:
    done = coldbench(
        *("keepwarm", "--url", f"lambda:hello?region={lambda_double.REGION}", "--instances", "1"),
        *("--every", "1m", "--export", "crontab"),
        cwd=tmp_path,
        **CREDENTIALS,
    )
    assert done.returncode == 2
    assert "a signature lasts minutes" in done.stderr
    assert done.stdout == ""


def test_a_refused_signature_is_not_the_functions_answer(tmp_path: Path) -> None:
    wrong = {**CREDENTIALS, **CONFIGURED, "AWS_SECRET_ACCESS_KEY": "another"}
    with lambda_double.serve() as double:
        done = coldbench("doctor", "--url", f"lambda:hello?endpoint={double.endpoint}", cwd=tmp_path, **wrong)
    assert set(double.refused) == {"the signature"}
    assert "status    403" in done.stdout
    assert "it answers with error statuses" in done.stdout


def test_an_http_url_is_signed_as_curl_has_it(tmp_path: Path) -> None:
    with lambda_double.serve() as double:
        done = coldbench(
            *("doctor", "--url", f"{double.endpoint}/a%20path/?b=2&a=1", "-d", "{}", "--json", "-"),
            *("--aws-sigv4", f"aws:amz:{lambda_double.REGION}:lambda", "-H", "X-Amz-Log-Type: Tail"),
            cwd=tmp_path,
            **CREDENTIALS,
            **CONFIGURED,
        )
    carried_out(done)
    assert (double.refused, set(double.paths)) == ([], {"/a%20path/?b=2&a=1"})
    (log,) = [
        one for one in json.loads(done.stdout)["doctor"]["headers"] if one["name"] == "X-Amz-Log-Result"
    ]
    assert log["value"].startswith("REPORT RequestId: ")


@pytest.mark.parametrize("command", ["doctor", "probe", "run"])
def test_without_credentials_nothing_is_sent(tmp_path: Path, command: str) -> None:
    with lambda_double.serve() as double:
        url = f"lambda:hello?endpoint={double.endpoint}"
        done = coldbench(command, "--url", url, cwd=tmp_path, **CONFIGURED)
    assert done.returncode == 2, done.stderr
    assert "there are no credentials to sign with" in done.stderr
    assert (double.refused, double.paths) == ([], [])
