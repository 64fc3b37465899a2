"""`openwhisk:` URLs against a double of the REST API, as documented."""

import base64
import json
import threading
import time
from email.message import Message
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e import json_server
from tests.e2e.cli import carried_out, coldbench, nowhere

KEY = "23bc46b1-71f6-4ed5-8c54-816aa4f8c502:123zO3xZCLrMN6v2BKK1dXYFpXlPkccOFqm12CdAsMgRU4VrNZ9lyGVCGuMDGIwP"
RESULT = "hunter2-of-the-actions-own-result"
INIT_MS, RUN_MS, IDLE_S = 400, 3, 0.2
TARGET = "/api/v1/namespaces/_/actions/tools/hello?blocking=true"


class OpenWhisk:
    """One action with at most one container, which is lost soon."""

    def __init__(self) -> None:
        self.refused = 0
        self.started = 0  # containers that a call waited for: a busy machine makes more of them
        self._last_s = -float("inf")
        self._turn = threading.Lock()

    def answer(self, path: str, headers: Message, body: bytes) -> tuple[int, dict[str, str], object]:
        if headers["Authorization"] != f"Basic {base64.b64encode(KEY.encode()).decode()}":
            self.refused += 1
            return 401, {}, {"error": "The supplied authentication is invalid", "code": "1"}
        if (path, headers["Content-Type"]) != (TARGET, "application/json"):
            return 404, {}, {"error": "The requested resource does not exist.", "code": "2"}
        with self._turn:
            cold = time.monotonic() - self._last_s > IDLE_S
            self.started += cold
            time.sleep(((INIT_MS + 20 if cold else 0) + RUN_MS) / 1000)
            self._last_s = time.monotonic()
        identity = uuid4().hex
        init: list[dict[str, Any]] = [{"key": "initTime", "value": INIT_MS}] if cold else []
        record = {
            "activationId": identity,
            "annotations": [
                {"key": "path", "value": "_/tools/hello"},
                {"key": "waitTime", "value": 7},
                *init,
            ],
            "duration": RUN_MS + (INIT_MS if cold else 0),
            "response": {"result": {"said": RESULT}, "status": "success", "success": True},
        }
        return 200, {"X-Openwhisk-Activation-Id": identity}, record


@pytest.mark.slow
def test_records_are_read_and_nothing_leaks(tmp_path: Path) -> None:
    double = OpenWhisk()
    with json_server.serve(double.answer) as url:
        (tmp_path / "properties").write_text(f"APIHOST={url}\nAUTH={KEY}\n")
        run = coldbench(
            *("run", "--url", "openwhisk:_/tools/hello", "-d", "{}", "--profile", "burst", "--seed", "1"),
            *("--set", "size=2", "--set", "idle.duration=500ms", "--set", "repeat=2", "--json", "run.json"),
            cwd=tmp_path,
            WSK_CONFIG_FILE=str(tmp_path / "properties"),
        )
        probe = coldbench(
            *("probe", "--url", f"openwhisk:_/tools/hello?apihost={url}", "-d", "{}", "--samples", "2"),
            *("--gap", "500ms-600ms", "--json", "probe.json"),
            cwd=tmp_path,
            __OW_API_KEY=KEY,
        )
    carried_out(run)
    carried_out(probe)
    assert double.refused == 0
    cold: list[int] = []
    for name in ("run.json", "probe.json"):
        record = json.loads((tmp_path / name).read_text())
        (result,) = record["results"]
        assert record["targets"][0]["evidence_level"] == 3
        assert record["targets"][0]["platform"] == "openwhisk"
        cold.append(result["verdicts"]["cold"])
        assert result["verdicts"]["discarded"] == 0
        assert result["init_ms"]["min"] == INIT_MS
        assert result["exec_ms"]["max"] == RUN_MS
    assert sum(cold) == double.started >= 4
    (tmp_path / "properties").unlink()
    nowhere((KEY, base64.b64encode(KEY.encode()).decode(), RESULT), tmp_path, run, probe)


def test_a_key_that_is_refused_is_not_the_actions_answer(tmp_path: Path) -> None:
    double = OpenWhisk()
    with json_server.serve(double.answer) as url:
        done = coldbench(
            *("doctor", "--url", f"openwhisk:_/tools/hello?apihost={url}", "-d", "{}"),
            cwd=tmp_path,
            __OW_API_KEY="another:key",
        )
    assert double.refused == 4
    assert "status    401" in done.stdout
    assert "another:key" not in done.stdout
