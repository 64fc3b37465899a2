"""The shims as `coldbench shim` prints them: each in its own language, on the lab, against its truth."""

import json
import shutil
import stat
import subprocess
from pathlib import Path

import httpx
import pytest

from coldbench.core.invocation import Evidence
from coldbench.evidence.headers import from_pairs
from coldbench.evidence.read import read
from coldbench.evidence.shims import FILES
from coldbench.targets.lab import parse_lab_url, start_lab
from tests.e2e.cli import coldbench

# runtime -> what its function needs on this machine
NEEDS = {"python": "python3", "node": "node", "go": "go", "java": "javac", "bash": "curl"}

FUNCTIONS = {
    "python": (
        "start",
        """#!/usr/bin/env python3
from coldbench_shim import now_us, shim
began_us = now_us()
import os
from wsgiref.simple_server import make_server
shim.span("imports", began_us)


def app(environ, start_response):
    start_response("200 OK", [("Server-Timing", 'own;desc="kept"'), ("Cache-Control", "max-age=60")])
    return [b"hello"]


make_server("127.0.0.1", int(os.environ["PORT"]), shim.wsgi(app)).serve_forever()
""",
    ),
    "node": (
        "hello.mjs",
        """import { nowUs, shim } from './coldbench_shim.mjs';
const began = nowUs();
const { createServer } = await import('node:http');
shim.span('imports', began);

createServer(shim.http((request, response) => {
  response.writeHead(200, ['Server-Timing', 'own;desc="kept"', 'Cache-Control', 'max-age=60']);
  response.end('hello');
})).listen(Number(process.env.PORT), '127.0.0.1');
""",
    ),
    "go": (
        "main.go",
        """package main

import (
	"net/http"
	"os"

	"hello/coldbench"
)

func main() {
	coldbench.Span("imports", coldbench.NowUs())
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), coldbench.Wrap(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Server-Timing", `own;desc="kept"`)
			w.Header().Set("Cache-Control", "max-age=60")
			w.Write([]byte("hello"))
		})))
}
""",
    ),
    "java": (
        "Hello.java",
        """import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

public class Hello {
    public static void main(String[] arguments) throws Exception {
        long beganUs = ColdbenchShim.nowUs();
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", ColdbenchShim.wrap(exchange -> {
            exchange.getResponseHeaders().add("Server-Timing", "own;desc=\\"kept\\"");
            exchange.getResponseHeaders().add("Cache-Control", "max-age=60");
            exchange.sendResponseHeaders(200, 5);
            exchange.getResponseBody().write("hello".getBytes());
            exchange.close();
        }));
        ColdbenchShim.span("imports", beganUs);
        ColdbenchShim.initEnded();
        server.start();
    }
}
""",
    ),
    "bash": (
        "bootstrap",
        r"""#!/usr/bin/env bash
source ./coldbench_shim.sh
coldbench_now
began_us=$coldbench_now_us
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
head=$(mktemp)
event=$(mktemp)
coldbench_span imports "$began_us"
coldbench_init_ended
while curl -sS -D "$head" -o "$event" "$api/next"; do
    [[ $(< "$head") =~ [Rr]equest-[Ii]d:\ ([0-9a-f-]+) ]] || break
    id=${BASH_REMATCH[1]}
    start='' hold=''
    [[ $(< "$event") =~ \"x-request-start\":\ *\"([^\"]*)\" ]] && start=${BASH_REMATCH[1]}
    coldbench_arrived "$start"
    [[ $(< "$event") =~ \"x-coldbench-hold-ms\":\ *\"([^\"]*)\" ]] && hold=${BASH_REMATCH[1]}
    coldbench_hold '' "$hold"
    coldbench_server_timing
    timing="own;desc=\"kept\", $COLDBENCH_SERVER_TIMING"
    headers='{"Server-Timing": "%s", "Cache-Control": "no-store"}'
    printf "{\"statusCode\": 200, \"headers\": $headers, \"body\": \"hello\"}" \
        "${timing//\"/\\\"}" | curl -sS -d @- -o /dev/null "$api/$id/response"
done
""",
    ),
}
# What starts the function, where its own file is not a program.
STARTS = {
    "node": "#!/bin/sh\nexec node hello.mjs\n",
    "java": "#!/bin/sh\nexec java -XX:TieredStopAtLevel=1 -cp . Hello\n",
}


@pytest.fixture(params=FILES)
def runtime(request: pytest.FixtureRequest) -> str:
    """Each of them; where its language is missing, the reason is said."""
    name = str(request.param)
    if shutil.which(NEEDS[name]) is None:
        pytest.skip(f"NOT TESTED: the shim of {name}: there is no {NEEDS[name]} on this machine")
    return name


def function(folder: Path, runtime: str) -> str:
    """The URL of a function that says hello with the shim as it is printed."""
    printed = coldbench("shim", runtime, cwd=folder)
    assert printed.returncode == 0, printed.stderr
    shim = folder / ("coldbench" if runtime == "go" else ".") / FILES[runtime]
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(printed.stdout)
    program(folder, *FUNCTIONS[runtime])
    if runtime in STARTS:
        program(folder, "start", STARTS[runtime])
    if runtime == "go":
        program(folder, "go.mod", "module hello\n\ngo 1.19\n")
    if runtime == "java":
        subprocess.run(["javac", "-Xlint:all", "-Werror", "Hello.java"], cwd=folder, check=True)
    return f"lab:{folder}"


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def evidence(response: httpx.Response) -> Evidence:
    assert (response.status_code, response.text) == (200, "hello")
    assert response.headers["Cache-Control"] == "no-store"
    assert 'own;desc="kept", ' in response.headers["Server-Timing"]
    pairs = list(response.headers.multi_items())
    return read(from_pairs(pairs), status=200, cold_header=None, instance_header=None)


@pytest.mark.slow
def test_each_shim_tells_what_the_lab_knows(tmp_path: Path, runtime: str) -> None:
    truth = tmp_path / "truth.jsonl"
    spec = parse_lab_url(f"{function(tmp_path, runtime)}?idle=1h&truth={truth}")
    with start_lab([spec]) as lab, httpx.Client(trust_env=False, timeout=60) as client:
        calls = [
            client.get(lab.endpoints[0], headers={"X-Coldbench-Id": f"t-{number}", **headers})
            for number, headers in enumerate([{}, {"X-Coldbench-Hold-Ms": "300"}, {}])
        ]
    first, held, last = map(evidence, calls)
    assert [one.instance_seq for one in (first, held, last)] == [1, 2, 3]
    assert len({one.instance for one in (first, held, last)}) == 1
    assert len(str(first.instance)) == 36
    assert first.level == 2
    assert first.init_from_process_start
    assert first.init_ms is not None
    assert first.init_ms > first.init_spans_ms["imports"] > 0 or runtime == "go"  # its span is empty
    assert first.init_ms == last.init_ms
    for one in (first, held, last):
        assert one.queue_ms is not None
        assert one.instance_age_ms is not None
    assert first.queue_ms > first.instance_age_ms  # it came before the end of the init
    assert last.queue_ms < last.instance_age_ms
    assert held.exec_ms is not None
    assert held.exec_ms >= 300
    told = {line["id"]: line["verdict"] for line in map(json.loads, truth.read_text().splitlines())}
    assert told == {"t-0": "cold", "t-1": "warm", "t-2": "warm"}


@pytest.mark.parametrize("typed", ["ruby", "pyhton"])
def test_a_runtime_without_a_shim_is_said(tmp_path: Path, typed: str) -> None:
    done = coldbench("shim", typed, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "python, node, go, java, bash" in done.stderr
