"""Gates: `--check` on run, probe and report."""

import json
from pathlib import Path

from junitparser import JUnitXml

from tests.e2e.cli import carried_out, coldbench, only_folder, parsed
from tests.e2e.raw_server import Visit, ok, raw_server

PROFILE = '[[stage]]\nkind = "rate"\nrate = 100\nduration = "1s"\n'


async def hello(visit: Visit) -> bytes:
    return ok(b"hello")


def test_checks_decide_the_exit_code_and_are_kept(tmp_path: Path) -> None:
    (tmp_path / "load.toml").write_text(PROFILE)
    checks = (
        "--check",
        "service_ms.p95 < 5000",
        "--check",
        "f.service_ms.p99 < 5000",
        "--check",
        "counts.errors == 0",
    )
    with raw_server(hello) as server:
        done = coldbench(
            *("run", "--url", f"f={server.url}", "--profile", "load.toml", *checks),
            *("--json", "-", "--junit", "checks.xml"),
            cwd=tmp_path,
        )
    assert done.returncode == 99
    record = parsed(done)
    assert [its["outcome"] for its in record["checks"]] == ["passed", "too few samples", "passed"]
    [suite] = JUnitXml.fromfile(str(tmp_path / "checks.xml"))
    assert (suite.tests, suite.failures) == (3, 1)
    [failed] = [case for case in suite if case.result]
    assert failed.name == "f.service_ms.p99 < 5000"
    assert failed.result[0].message.startswith("too few samples: not observed, or withheld, n = 100")
    assert json.loads((only_folder(tmp_path) / "run.json").read_text())["checks"] == record["checks"]
    assert "1 of 3 checks did not pass (f.service_ms.p99 < 5000: too few samples)" in done.stderr
    again = coldbench("report", "--check", "service_ms.p50 < 5000", "--format", "md", cwd=tmp_path)
    assert again.returncode == 0
    assert "service\\_ms.p50 \\< 5000 | f" in " ".join(again.stdout.split())
    assert coldbench("report", "--check", "service_ms.p50 < 0.001", cwd=tmp_path).returncode == 99


def test_an_unknown_metric_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    with raw_server(hello) as server:
        for command in ("run", "probe"):
            done = coldbench(command, "--url", server.url, "--check", "p95 < 5", cwd=tmp_path)
            assert done.returncode == 2
            assert "no such metric: p95" in done.stderr
        assert not server.visits
    assert not (tmp_path / "reports").exists()


def test_runs_are_compared_and_a_change_decides_the_exit_code(tmp_path: Path) -> None:
    (tmp_path / "load.toml").write_text(PROFILE)
    with raw_server(hello) as server:
        for name in ("main", "pr"):
            run = ("run", "--url", f"f={server.url}", "--profile", "load.toml", "--name", name)
            carried_out(coldbench(*run, cwd=tmp_path))
    gate = ("compare", "pr", "--baseline", "main", "--fail-if")
    passed = coldbench(*gate, "service_ms.mean > +5000", "--json", "-", cwd=tmp_path)
    assert passed.returncode == 0
    found = json.loads(passed.stdout)
    assert found["schema"] == "coldbench.comparison/1"
    assert found["checks"][0]["outcome"] == "passed"
    assert "not interleaved" in passed.stderr
    failed = coldbench(*gate, "service_ms.mean > -5000", "--format", "md", cwd=tmp_path)
    assert failed.returncode == 99
    assert "service_ms.mean > -5000 at f: failed" in failed.stderr
    unknown = coldbench(*gate, "p95 > +10%", cwd=tmp_path)
    assert unknown.returncode == 2
    assert "no such metric: p95" in unknown.stderr


def test_a_run_is_exported(tmp_path: Path) -> None:
    (tmp_path / "load.toml").write_text(PROFILE)
    with raw_server(hello) as server:
        carried_out(coldbench("run", "--url", server.url, "--profile", "load.toml", cwd=tmp_path))
    lines = coldbench("export", "--format", "jsonl", cwd=tmp_path)
    assert (lines.returncode, lines.stderr) == (0, "")
    assert [json.loads(line)["seq"] for line in lines.stdout.splitlines()] == list(range(100))
    assert coldbench("export", "--to", "run.csv", cwd=tmp_path).returncode == 0
    assert len((tmp_path / "run.csv").read_text().splitlines()) == 101
    refused = coldbench("export", "--format", "parquet", cwd=tmp_path)
    assert refused.returncode == 2
    assert "name a file" in refused.stderr
    assert coldbench("export", "--to", "nowhere/run.csv", cwd=tmp_path).returncode == 2
