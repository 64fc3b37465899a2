"""What the shim says: a snippet in the function that tells the truth about its own instance.

    Server-Timing: init;dur=340.2;desc="process", age;dur=0.4, seq;desc="1", inst;desc="<uuid>",
                   exec;dur=5.1, queue;dur=12.3, init-db;dur=210
    Cache-Control: no-store

`init` is a constant of the instance and comes with every answer; `desc="process"` says that it counts
from the start of the process, `desc="import"` only from the shim's import. `age` is from the end of init
to the arrival of this request at the instance, `queue` from the platform's receipt to that arrival.
"""

from collections.abc import Iterable
from typing import Any

from coldbench.evidence.server_timing import Metric, parse_server_timing
from coldbench.evidence.values import identifier, ordinal

_SPAN = "init-"
_MOST_SPANS = 32


def read_shim(server_timing: Iterable[str]) -> dict[str, Any]:
    """Fields of Evidence by name; none unless both `inst` and `seq` are there and readable.

    Other software sends metrics called `init` or `exec` too, in its own sense: only the two that nobody
    else sends make them the shim's. Of a metric that is sent twice with different values none is believed.
    """
    metrics = _unanimous(parse_server_timing(server_timing))
    instance, seq = identifier(_desc(metrics, "inst")), ordinal(_desc(metrics, "seq"))
    if instance is None or seq is None:
        return {}
    fields: dict[str, Any] = {"instance": instance, "instance_seq": seq}
    for name, field in (("age", "instance_age_ms"), ("exec", "exec_ms"), ("queue", "queue_ms")):
        _add(fields, field, metrics.get(name))
    if _add(fields, "init_ms", metrics.get("init")):
        fields["init_is_per_instance"] = True
        fields["init_from_process_start"] = _desc(metrics, "init") == "process"
    spans: dict[str, float] = {}
    for name, metric in metrics.items():
        if name.startswith(_SPAN) and len(spans) < _MOST_SPANS:
            _add(spans, name.removeprefix(_SPAN), metric)
    if spans:
        fields["init_spans_ms"] = spans
    return fields


def _unanimous(metrics: list[Metric]) -> dict[str, Metric | None]:
    by_name: dict[str, Metric | None] = {}
    for metric in metrics:
        if by_name.setdefault(metric.name, metric) != metric:
            by_name[metric.name] = None
    return by_name


def _desc(metrics: dict[str, Metric | None], name: str) -> str:
    metric = metrics.get(name)
    return "" if metric is None else metric.desc


def _add(fields: dict[str, Any], field: str, metric: Metric | None) -> bool:
    if metric is None or metric.dur_ms is None:
        return False
    fields[field] = metric.dur_ms
    return True
