"""`lambda:` URLs against moto's server, which checks signatures and policies by its own code."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e import external_server as server
from tests.e2e.cli import carried_out, coldbench

pytest.importorskip("botocore")
pytestmark = pytest.mark.accept  # its packages are installed first

REGION = "eu-west-1"
# What is done before moto asks who it is.
CALLS_OF_THE_OWNER = 5


@pytest.fixture
def program(pytestconfig: pytest.Config) -> Path:
    """moto's server, in an environment of its own in pytest's cache."""
    folder = pytestconfig.cache.mkdir("moto")  # type: ignore[union-attr]
    found = folder / "bin" / "moto_server"
    if not found.exists():
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(folder / "bin" / "pip"), "install", "--quiet", "moto[server]>=5"],
        ):
            done = subprocess.run(command, capture_output=True, text=True, timeout=400)
            if done.returncode:
                pytest.skip(f"NOT TESTED against moto: {' '.join(command)} failed: {done.stderr[-2000:]}")
    return found


@pytest.fixture
def endpoint(program: Path, tmp_path: Path) -> Iterator[str]:
    port = server.free_port()
    command = [str(program), "-H", "127.0.0.1", "-p", str(port)]
    server.describe(tmp_path, command, port, {"INITIAL_NO_AUTH_ACTION_COUNT": str(CALLS_OF_THE_OWNER)})
    subprocess.run([sys.executable, server.__file__, str(tmp_path)], check=True)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.end(tmp_path)


def client(service: str, endpoint: str) -> Any:
    from botocore.session import get_session

    anybody = {"aws_access_key_id": "anybody", "aws_secret_access_key": "anything"}
    return get_session().create_client(service, region_name=REGION, endpoint_url=endpoint, **anybody)


def allowed_to_invoke(endpoint: str) -> dict[str, str]:
    """A function, `hello`, and the environment of a user who may invoke it."""
    # Its Lambda without Docker answers the same to everything.
    httpx.post(f"{endpoint}/moto-api/config", json={"lambda": {"use_docker": False}}, trust_env=False)
    iam = client("iam", endpoint)
    role = iam.create_role(RoleName="of-hello", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    iam.create_user(UserName="caller")
    key = iam.create_access_key(UserName="caller")["AccessKey"]
    allowed = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="caller", PolicyName="invokes", PolicyDocument=policy)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as packed:
        packed.writestr("handler.py", "")
    client("lambda", endpoint).create_function(
        FunctionName="hello", Runtime="python3.11", Role=role, Handler="handler.handler",
        Code={"ZipFile": code.getvalue()},
    )  # fmt: skip
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def test_moto_takes_our_signatures(endpoint: str, tmp_path: Path) -> None:
    caller = allowed_to_invoke(endpoint)
    url = f"lambda:hello?endpoint={endpoint}"
    burst = ("--profile", "burst", "--set", "size=4", "--set", "repeat=2", "--set", "idle.duration=500ms")
    run = coldbench("run", "--url", url, "-d", "{}", *burst, "--json", "run.json", cwd=tmp_path, **caller)
    carried_out(run)
    (result,) = json.loads((tmp_path / "run.json").read_text())["results"]
    assert (result["statuses"], result["verdicts"]["discarded"]) == ({"200": 16}, 0)
    other = {**caller, "AWS_SECRET_ACCESS_KEY": "another"}
    doctor = coldbench("doctor", "--url", url, "-d", "{}", cwd=tmp_path, **other)
    assert "not the function's answer: status 403, not 200" in doctor.stdout
