"""What an activation's record tells, and whose record it has to be."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.errors import UsageError
from coldbench.evidence.activation import ID_HEADER, read_activation
from coldbench.evidence.read import read
from coldbench.targets.api import parse_api_url

HEADERS = {ID_HEADER: ["44794bd6"]}


def record(**changed: Any) -> bytes:
    said = {
        "activationId": "44794bd6",
        "annotations": [{"key": "limits", "value": {"memory": 256}}, {"key": "waitTime", "value": 66}],
        "duration": 53,
        "response": {"result": {"password": "hunter2"}, "success": True},
    }
    return json.dumps(said | changed).encode()


def test_a_cold_and_a_warm_activation() -> None:
    measured = {"request_id": "44794bd6", "queue_ms": 66.0}
    cold = record(annotations=[{"key": "initTime", "value": 50}, {"key": "waitTime", "value": 66}])
    assert read_activation(HEADERS, cold) == measured | {"cold_flag": True, "init_ms": 50, "exec_ms": 3}
    assert read_activation(HEADERS, record()) == measured | {"cold_flag": False, "exec_ms": 53}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"hello", record(activationId="another"), record(annotations=None), record(duration="soon")],
)
def test_another_body_tells_nothing(body: bytes) -> None:
    assert read_activation(HEADERS, body) == {}
    assert read_activation({}, record()) == {}


def test_the_result_is_not_kept() -> None:
    evidence = read(HEADERS, status=200, cold_header=None, instance_header=None, body_start=record())
    assert evidence.level == 3
    assert evidence.exec_ms == 53
    assert "hunter2" not in str(evidence.raw)


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(lambda v: record(annotations=v)))
def test_no_body_can_harm(body: bytes) -> None:
    assert read_activation(HEADERS, body).get("exec_ms", 0) >= 0


def test_what_a_url_stands_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("__OW_API_HOST", raising=False)
    monkeypatch.setenv("__OW_API_KEY", "a:b")
    (tmp_path / "properties").write_text("APIHOST=ow.example.com\nAUTH=c:d\n\n")
    monkeypatch.setenv("WSK_CONFIG_FILE", str(tmp_path / "properties"))
    api = parse_api_url("openwhisk:guest/hello")
    assert api is not None
    assert api.name == "hello"
    assert api.endpoint == "https://ow.example.com/api/v1/namespaces/guest/actions/hello?blocking=true"
    assert api.headers == (("Authorization", "Basic YTpi"),)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("openwhisk:hello", "not the name of an action"),
        ("openwhisk:a/b/c/d", "not the name of an action"),
        ("openwhisk:a/../b", "not the name of an action"),
        ("openwhisk:a/b?colour=red", "unknown key 'colour'"),
        ("openwhisk:a/b", "nobody says the API host"),
        ("openwhisk:a/b?apihost=https://ow.example.com", "nobody says the key"),
    ],
)
def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    monkeypatch.delenv("__OW_API_HOST", raising=False)
    monkeypatch.delenv("__OW_API_KEY", raising=False)
    monkeypatch.setenv("WSK_CONFIG_FILE", "/nowhere/at/all")
    with pytest.raises(UsageError, match=words):
        parse_api_url(url)
