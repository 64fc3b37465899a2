"""Handlers written for AWS Lambda, unchanged, on AWS's own runtime clients in the lab."""

import json
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from coldbench.evidence.shims import source
from coldbench.targets.lab import parse_lab_url, start_lab
from tests.e2e import npm
from tests.e2e.cli import carried_out, coldbench, only_folder
from tests.e2e.test_shim_frameworks import NODE_LAMBDA, told_by_two_calls
from tests.e2e.test_truth import joined

PYTHON = """
import json


def handler(event, context):
    if event["rawPath"] == "/fail":
        raise ValueError("as asked")
    told = [event["requestContext"]["http"]["method"], event["rawQueryString"], event.get("body")]
    return {
        "statusCode": 201,
        "headers": {"X-Mine": "yes"},
        "cookies": ["a=b"],
        "body": json.dumps([*told, context.aws_request_id != ""]),
    }
"""
NODE = """
export const handler = async (event, context) => {
  if (event.rawPath === '/fail') throw new Error('as asked');
  const told = [event.requestContext.http.method, event.rawQueryString, event.body];
  return {
    statusCode: 201,
    headers: { 'X-Mine': 'yes' },
    cookies: ['a=b'],
    body: JSON.stringify([...told, context.awsRequestId !== '']),
  };
};
"""
ROUNDS = ("--samples", "6", "--gap", "900ms-1100ms", "--seed", "1")


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A handler's folder, for awslambdaric."""
    pytest.importorskip("awslambdaric")
    folder = tmp_path / "python"
    folder.mkdir()
    (folder / "handler.py").write_text(PYTHON)
    return folder


@pytest.fixture
def node(tmp_path: Path, pytestconfig: pytest.Config) -> Path:
    """A handler's folder, for aws-lambda-ric, which is compiled (cmake, autoconf, automake, libtool, g++)."""
    packages = {"aws-lambda-ric": "3.3.0"}
    client = npm.installed(pytestconfig, "aws-lambda-ric", packages, compiled="aws-lambda-ric")
    folder = tmp_path / "node"
    folder.mkdir()
    (folder / "node_modules").symlink_to(client / "node_modules")
    (folder / "index.mjs").write_text(NODE)
    return folder


def test_awslambdaric(python: Path) -> None:
    answers_as_written(python)
    fails_in_its_init(python / "handler.py", "raise RuntimeError('no database')\n")


@pytest.mark.accept  # a minute of compiling
def test_aws_lambda_ric(node: Path) -> None:
    answers_as_written(node)
    fails_in_its_init(node / "index.mjs", "throw new Error('no database');\n")


def answers_as_written(folder: Path) -> None:
    with start_lab([parse_lab_url(f"lab:{folder}")]) as lab:
        response = httpx.post(lab.endpoints[0] + "a/b?c=d", content="hello", trust_env=False, timeout=60)
        failed = httpx.get(lab.endpoints[0] + "fail", trust_env=False, timeout=60)
    assert (response.status_code, response.json()) == (201, ["POST", "c=d", "hello", True])
    assert (response.headers["X-Mine"], response.headers["Set-Cookie"]) == ("yes", "a=b")
    assert (failed.status_code, failed.headers["X-Coldbench-Lab-Error"]) == (502, "function_error")
    assert "as asked" in failed.text


def fails_in_its_init(handler: Path, code: str) -> None:
    handler.write_text(code)
    with start_lab([parse_lab_url(f"lab:{handler.parent}")]) as lab:
        response = httpx.get(lab.endpoints[0], trust_env=False, timeout=60)
    assert response.headers["X-Coldbench-Lab-Error"] == "start_failed"
    assert "no database" in response.text


@pytest.mark.accept
def test_the_shim_in_a_handler_on_aws_lambda_ric(node: Path) -> None:
    (node / "coldbench_shim.mjs").write_text(source("node"))
    (node / "index.mjs").write_text(NODE_LAMBDA)
    truth = node / "truth.jsonl"
    with start_lab([parse_lab_url(f"lab:{node}?{urlencode({'truth': truth})}")]) as lab:
        told_by_two_calls(lab.endpoints[0])
    assert [json.loads(line)["verdict"] for line in truth.read_text().splitlines()] == ["cold", "warm"]


@pytest.mark.accept
def test_a_run_compares_python_node_and_custom(python: Path, node: Path, tmp_path: Path) -> None:
    """Each verdict as the lab has it, each startup in parts, and a rank."""
    asked = f"?evidence=headers&idle=500ms&start=200ms&truth={tmp_path}/truth.jsonl"
    flags = [flag for function in (python, node, "custom") for flag in ("--url", f"lab:{function}{asked}")]
    ran = coldbench("probe", *flags, *ROUNDS, "--json", "run.json", cwd=tmp_path)
    carried_out(ran)
    rows = joined(only_folder(tmp_path), tmp_path / "truth.jsonl")
    assert [its.verdict for _, its, told in rows if its.verdict != told["verdict"]] == []
    record = json.loads((tmp_path / "run.json").read_text())
    for result in record["results"]:
        assert result["verdicts"]["cold"] >= 6
        penalty_ms, init_ms = result["cold_penalty_ms"]["value"], result["init_ms"]["p50"]
        assert penalty_ms - init_ms >= 190  # the lab's own 200, less what a warm call takes
    words = " ".join(ran.stdout.split())
    assert words.count("a cold start costs its caller") == words.count("the rest, about") == 3
    compared = coldbench("compare", cwd=tmp_path)
    assert compared.returncode == 0, compared.stderr
    assert "by wait cold, shortest first:" in " ".join(compared.stdout.split())
    print(ran.stdout, compared.stdout)
