"""What is exported is what was measured, read back by each format's own library."""

import csv
import io
import json
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import IO, Any

import msgspec
import pytest
from hdrh.histogram import HdrHistogram
from prometheus_client.parser import text_string_to_metric_families
from pyarrow import parquet

from coldbench.analysis import open_run
from coldbench.core.invocation import Invocation
from coldbench.core.summary import Run
from coldbench.core.verdict import ColdKind, Judgement, Verdict
from coldbench.runs.export.hdr import write_hdr
from coldbench.runs.export.judged import Facts
from coldbench.runs.export.metrics import BUCKETS_S, write_otlp, write_prometheus
from coldbench.runs.export.rows import COLUMNS, write_csv, write_jsonl, write_parquet
from coldbench.runs.samples import SAMPLES, Judged, SampleWriter, read_judged
from tests.unit.measured import measured

FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Facts]:
    folder = measured(
        tmp_path_factory.mktemp("x"), FORMULA, {FORMULA: 100.0, "node": 300.0}, rounds=3, calls=5
    )
    return open_run(folder), partial(read_judged, folder / SAMPLES)


def written(write: Callable[[Run, Facts, IO[bytes]], None], exported: tuple[Run, Facts]) -> str:
    to = io.BytesIO()
    write(*exported, to)
    return to.getvalue().decode()


def test_rows_are_the_invocations(exported: tuple[Run, Facts]) -> None:
    rows = [json.loads(line) for line in written(write_jsonl, exported).splitlines()]
    facts = list(exported[1]())
    assert [row["seq"] for row in rows] == [one.invocation.seq for one in facts]
    for row, one in zip(rows, facts, strict=True):
        assert one.judgement is not None
        assert list(row) == list(COLUMNS)
        assert row["verdict"] == one.judgement.verdict
        assert row["first_byte_ns"] == one.invocation.first_byte_ns
        assert row["wait_ms"] == (one.invocation.wait_ns or 0) / 1e6
        assert row["init_ms"] == one.invocation.evidence.init_ms
        assert row["dns_ns"] is None


def test_csv_has_the_same_and_no_formula(exported: tuple[Run, Facts]) -> None:
    rows = [json.loads(line) for line in written(write_jsonl, exported).splitlines()]
    for read, row in zip(csv.DictReader(io.StringIO(written(write_csv, exported))), rows, strict=True):
        target = f"'{FORMULA}" if row["target"] == FORMULA else row["target"]
        assert read["target"] == target
        assert float(read["wait_ms"]) == row["wait_ms"]
        assert read["dns_ns"] == ""
        assert not any(value.startswith(("=", "@", "+")) for value in read.values())


def test_parquet_has_the_same(exported: tuple[Run, Facts], tmp_path: Path) -> None:
    write_parquet(*exported, tmp_path / "run.parquet")
    read = parquet.read_table(tmp_path / "run.parquet").to_pylist()
    assert read == [json.loads(line) for line in written(write_jsonl, exported).splitlines()]


def samples_of(text: str, name: str) -> list[tuple[dict[str, str], float]]:
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    ]


def test_prometheus_counts_the_same(exported: tuple[Run, Facts]) -> None:
    text = written(write_prometheus, exported)
    whose = {"coldbench_run": FORMULA, "faas_invoked_name": "node", "faas_coldstart": ""}
    assert (whose, 15.0) in samples_of(text, "faas_coldstarts_total")
    assert (whose | {"faas_coldstart": "false"}, 15.0) in samples_of(text, "faas_invocations_total")
    inits = [
        one.invocation.evidence.init_ms
        for one in exported[1]()
        if one.invocation.target == "node" and one.judgement and one.judgement.verdict == "cold"
    ]
    assert (whose, pytest.approx(sum(value or 0 for value in inits) / 1e3)) in samples_of(
        text, "faas_init_duration_seconds_sum"
    )
    for labels, value in samples_of(text, "faas_init_duration_seconds_bucket"):
        if labels["faas_invoked_name"] == "node":
            assert value == sum((init or 0) / 1e3 <= float(labels["le"]) for init in inits)


def test_otlp_has_the_same_and_is_of_when_it_was_measured(exported: tuple[Run, Facts]) -> None:
    from google.protobuf.json_format import Parse
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    request = Parse(written(write_otlp, exported), ExportMetricsServiceRequest())
    its: dict[str, Any] = {
        metric.name: metric for metric in request.resource_metrics[0].scope_metrics[0].metrics
    }
    assert set(its) >= {"faas.coldstarts", "faas.init_duration", "faas.invoke_duration"}
    assert sorted(point.as_int for point in its["faas.coldstarts"].sum.data_points) == [15, 15]
    durations = its["faas.invoke_duration"]
    assert durations.unit == "s"
    for point in durations.histogram.data_points:
        told = {attribute.key: attribute.value for attribute in point.attributes}
        assert told["faas.coldstart"].HasField("bool_value")
        assert list(point.explicit_bounds) == pytest.approx(BUCKETS_S)
        assert sum(point.bucket_counts) == point.count == 15
        assert point.time_unix_nano == 1795428000 * 10**9  # 2026-11-23T10:00:00Z


def test_hdr_has_the_same_to_three_digits(exported: tuple[Run, Facts]) -> None:
    lines = [line.split(",") for line in written(write_hdr, exported).splitlines() if line.startswith("Tag=")]
    histograms = {tag.removeprefix("Tag="): HdrHistogram.decode(payload) for tag, _, _, _, payload in lines}
    waits = sorted(
        (one.invocation.wait_ns or 0) / 1e3
        for one in exported[1]()
        if one.invocation.target == "node" and one.judgement and one.judgement.verdict == "cold"
    )
    found = histograms["node/wait_cold"]
    assert found.get_total_count() == len(waits) == 15
    assert found.get_value_at_percentile(50) == pytest.approx(waits[7], rel=2e-3)
    assert found.get_max_value() == pytest.approx(waits[-1], rel=2e-3)
    assert set(histograms) >= {"node/wait_warm", "node/service", f"{FORMULA}/service"}


def judged(seq: int, verdict: Verdict, kind: ColdKind | None = None) -> Judged:
    """One whose caller waited 100 ms for each place it has."""
    end_ns = (seq + 1) * 100_000_000
    one = Invocation(
        seq=seq, target="f", phase="0:burst", status=200, intended_ns=0, sent_ns=0, first_byte_ns=end_ns,
        end_ns=end_ns,
    )  # fmt: skip
    return Judged(one, Judgement(seq=seq, verdict=verdict, reason="", confidence=1, cold_kind=kind))


def test_exports_are_of_what_the_figures_are_of(exported: tuple[Run, Facts]) -> None:
    kinds = (ColdKind.SCALEOUT, ColdKind.IDLE, ColdKind.IDLE, ColdKind.DEPLOY)
    facts = [judged(seq, Verdict.COLD, kind) for seq, kind in enumerate(kinds)]
    facts += [judged(4, Verdict.WARM), judged(5, Verdict.UNKNOWN)]
    others = (Verdict.DISCARDED, Verdict.THROTTLED, Verdict.START_FAILED)
    facts += [judged(6 + number, verdict) for number, verdict in enumerate(others)]

    def read() -> Generator[Judged, None, None]:
        yield from facts

    lines = [line for line in written(write_hdr, (exported[0], read)).splitlines() if line.startswith("Tag=")]
    numbers = {}
    for tag, *_, payload in (line.split(",") for line in lines):
        numbers[tag.removeprefix("Tag=f/")] = HdrHistogram.decode(payload).get_total_count()
    assert numbers == {
        "wait_cold": 2,
        "wait_cold_scaleout": 1,
        "wait_cold_deploy": 1,
        "wait_warm": 1,
        "service": 6,
    }
    text = written(write_prometheus, (exported[0], read))
    assert sum(value for _, value in samples_of(text, "faas_invocations_total")) == 6
    assert sum(value for _, value in samples_of(text, "faas_invoke_duration_seconds_count")) == 6


def test_an_unfinished_one_has_no_verdict(tmp_path: Path) -> None:
    folder = measured(tmp_path, "r", {"f": 100.0}, rounds=1, calls=1)
    with SampleWriter(folder / SAMPLES) as samples:
        samples.append([Invocation(seq=99, target="f", phase="0:burst", intended_ns=1, sent_ns=2)])
    run = open_run(folder)
    facts = partial(read_judged, folder / SAMPLES)
    [row] = [msgspec.json.decode(line) for line in written(write_jsonl, (run, facts)).splitlines()[-1:]]
    assert (row["seq"], row["verdict"], row["end_ns"]) == (99, None, None)
