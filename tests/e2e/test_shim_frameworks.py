"""The shims inside the servers that platforms run: AWS's runtime client, functions-framework."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from coldbench.core.invocation import Evidence
from coldbench.evidence.headers import from_pairs
from coldbench.evidence.read import read
from coldbench.evidence.shims import source
from coldbench.targets.lab import parse_lab_url, start_lab
from tests.e2e import external_server as server
from tests.e2e import npm
from tests.e2e.cli import eventually

LAMBDA = """
from coldbench_shim import shim


@shim.lambda_handler
def handler(event, context):
    return {"statusCode": 200, "body": "hello"}
"""
PYTHON = """
from coldbench_shim import shim
import functions_framework


@functions_framework.http
@shim.flask_view
def hello(request):
    return "hello"
"""
NODE = """
import functions from '@google-cloud/functions-framework';
import { shim } from './coldbench_shim.mjs';

functions.http('hello', shim.http((request, response) => response.send('hello')));
"""
SERVERLESS = """
service: shims
frameworkVersion: "3"
provider: {{name: aws}}
plugins: [serverless-offline]
custom:
  serverless-offline:
    host: 127.0.0.1
    httpPort: {http}
    lambdaPort: {functions}
    noPrependStageInUrl: true
functions:
  python:
    runtime: python3.11
    handler: handler.handler
    events: [{{http: {{path: /python, method: get}}}}]
  node:
    runtime: nodejs18.x
    handler: index.handler
    events: [{{http: {{path: /node, method: get}}}}]
"""
NODE_LAMBDA = """
import { shim } from './coldbench_shim.mjs';

export const handler = shim.lambda(async () => ({ statusCode: 200, body: 'hello' }));
"""


def evidence(response: httpx.Response) -> Evidence:
    assert (response.status_code, response.text) == (200, "hello")
    pairs = list(response.headers.multi_items())
    return read(from_pairs(pairs), status=200, cold_header=None, instance_header=None)


def told_by_two_calls(url: str) -> None:
    with httpx.Client(trust_env=False, timeout=60) as client:
        first, second = (evidence(client.get(url)) for _ in range(2))
    assert (first.level, first.instance_seq, second.instance_seq) == (2, 1, 2)
    assert first.instance == second.instance
    assert first.init_ms == second.init_ms is not None


def test_awss_own_runtime_client(tmp_path: Path) -> None:
    pytest.importorskip("awslambdaric")
    (tmp_path / "coldbench_shim.py").write_text(source("python"))
    (tmp_path / "handler.py").write_text(LAMBDA)
    truth = tmp_path / "truth.jsonl"
    with start_lab([parse_lab_url(f"lab:{tmp_path}?truth={truth}")]) as lab:
        told_by_two_calls(lab.endpoints[0])
    told = [json.loads(line)["verdict"] for line in truth.read_text().splitlines()]
    assert told == ["cold", "warm"]


@contextmanager
def serving(command: Sequence[str], folder: Path) -> Iterator[str]:
    """A server's URL, once it listens; it is given `--port`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*command, "--port", str(port)]
    log = folder / "server.log"
    with (
        log.open("wb") as said,
        subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, start_new_session=True) as process,
    ):
        try:
            eventually(lambda: process.poll() is not None or _listens(port), within_s=60)
            assert process.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}/"
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
def test_functions_framework_of_python(tmp_path: Path) -> None:
    pytest.importorskip("functions_framework")
    (tmp_path / "coldbench_shim.py").write_text(source("python"))
    (tmp_path / "main.py").write_text(PYTHON)
    # It starts gunicorn, which forks one worker.
    program = Path(sys.executable).with_name("functions-framework")
    with serving([str(program), "--target", "hello"], tmp_path) as url:
        told_by_two_calls(url)


@pytest.mark.accept
def test_functions_framework_of_node(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    packages = npm.installed(pytestconfig, "functions-framework", {"@google-cloud/functions-framework": "3"})
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "coldbench_shim.mjs").write_text(source("node"))
    (tmp_path / "index.js").write_text(NODE)
    program = tmp_path / "node_modules" / ".bin" / "functions-framework"
    with serving([str(program), "--target", "hello"], tmp_path) as url:
        told_by_two_calls(url)


@pytest.mark.accept
def test_serverless_offline(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    packages = npm.installed(pytestconfig, "serverless-offline", npm.SERVERLESS)
    http, functions = server.free_port(), server.free_port()
    (tmp_path / "serverless.yml").write_text(SERVERLESS.format(http=http, functions=functions))
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    shutil.copy(packages / "package.json", tmp_path)
    (tmp_path / "coldbench_shim.py").write_text(source("python"))
    (tmp_path / "handler.py").write_text(LAMBDA)
    (tmp_path / "coldbench_shim.mjs").write_text(source("node"))
    (tmp_path / "index.mjs").write_text(NODE_LAMBDA)
    quiet = {"SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off", "CI": "1"}
    server.describe(
        tmp_path, [str(tmp_path / "node_modules/.bin/serverless"), "offline", "start"], http, quiet
    )
    subprocess.run([sys.executable, server.__file__, str(tmp_path)], check=True)
    try:
        told_by_two_calls(f"http://127.0.0.1:{http}/python")
        told_by_two_calls(f"http://127.0.0.1:{http}/node")
    finally:
        server.end(tmp_path)
