"""Counters and histograms of a run, with OpenTelemetry's names for functions, as Prometheus text or OTLP.

`faas.invocations`, `faas.coldstarts`, `faas.errors`, `faas.timeouts`, `faas.init_duration` and
`faas.invoke_duration`, in seconds and in the buckets that the semantic conventions advise
(opentelemetry.io/docs/specs/semconv/faas/faas-metrics/). The attribute `faas.coldstart` tells cold calls from
others; calls of which it is not known have none.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import IO, TYPE_CHECKING, Any

from msgspec import Struct

from coldbench import __version__
from coldbench.core.invocation import Error
from coldbench.core.summary import Run
from coldbench.core.verdict import RAN, Verdict
from coldbench.runs.export.judged import Facts, bounds_ns, each, needs
from coldbench.runs.samples import Judged

if TYPE_CHECKING:
    from prometheus_client import Metric

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

# Of these the verdict says whether the caller met a cold start.
_COLDSTART = {Verdict.COLD: True, Verdict.WARM: False, Verdict.PREINITIALISED: False}

_NAME, _COLD = "faas.invoked_name", "faas.coldstart"
_LABELS = ("coldbench_run", "faas_invoked_name", "faas_coldstart")

Attributes = tuple[tuple[str, str | bool], ...]


class Histogram:
    """Durations in seconds, counted in `BUCKETS_S` and above."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_S) + 1)
        self.sum = 0.0

    def add(self, value_s: float) -> None:
        """A value belongs to the first bucket that is not less than it."""
        self.counts[bisect_left(BUCKETS_S, value_s)] += 1
        self.sum += value_s


class Metrics(Struct):
    """By OpenTelemetry's name and attributes."""

    counters: dict[str, Counter[Attributes]]
    histograms: dict[str, defaultdict[Attributes, Histogram]]


def metrics(facts: Facts) -> Metrics:
    """What the invocations add up to."""
    names = ("faas.invocations", "faas.coldstarts", "faas.errors", "faas.timeouts")
    found = Metrics(
        counters={name: Counter() for name in names},
        histograms={name: defaultdict(Histogram) for name in ("faas.init_duration", "faas.invoke_duration")},
    )
    for one in each(facts):
        _count(found, one)
    return found


def _count(found: Metrics, one: Judged) -> None:
    i, verdict = one.invocation, one.judgement and one.judgement.verdict
    target: Attributes = ((_NAME, i.target),)
    counters = found.counters
    if i.error is not None:
        counters["faas.timeouts" if i.error is Error.TIMEOUT else "faas.errors"][target] += 1
    if verdict not in RAN or not i.completed:
        return
    coldstart = _COLDSTART.get(verdict)
    told: Attributes = target if coldstart is None else (*target, (_COLD, coldstart))
    counters["faas.invocations"][told] += 1
    counters["faas.coldstarts"][target] += coldstart is True
    if coldstart and i.evidence.init_ms is not None:
        found.histograms["faas.init_duration"][target].add(i.evidence.init_ms / 1e3)
    if i.service_ns is not None:
        found.histograms["faas.invoke_duration"][told].add(i.service_ns / 1e9)


_MEANINGS = {
    "faas.invocations": "Number of invocations that the function answered",
    "faas.coldstarts": "Number of invocations whose caller waited for an instance to start",
    "faas.errors": "Number of invocations without a whole answer",
    "faas.timeouts": "Number of invocations given up for want of an answer",
    "faas.init_duration": "Init of the instances that cold callers waited for",
    "faas.invoke_duration": "From the first byte sent to the last byte received, as the caller sees it",
}


def write_prometheus(run: Run, facts: Facts, to: IO[bytes]) -> None:
    """Prometheus' text format, for a textfile collector or a push gateway; a label has the run's name.

    Raises UsageError where prometheus-client is not there.
    """
    try:
        from prometheus_client import CollectorRegistry, generate_latest
    except ImportError as error:
        raise needs("metrics", "prometheus-client") from error
    registry = CollectorRegistry()
    registry.register(_Families(run, metrics(facts)))
    to.write(generate_latest(registry))


class _Families:
    """What prometheus-client collects."""

    def __init__(self, run: Run, found: Metrics) -> None:
        self._run = run
        self._found = found

    def collect(self) -> Iterator["Metric"]:
        """Called once by the registry to know the names, and once to write."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        for name, values in self._found.counters.items():
            counter = CounterMetricFamily(_underscored(name), _MEANINGS[name], labels=_LABELS)
            for attributes, value in sorted(values.items()):
                counter.add_metric(self._labels(attributes), value)
            yield counter
        for name, histograms in self._found.histograms.items():
            family = HistogramMetricFamily(f"{_underscored(name)}_seconds", _MEANINGS[name], labels=_LABELS)
            for attributes, histogram in sorted(histograms.items(), key=lambda item: item[0]):
                up_to = zip((*map(str, BUCKETS_S), "+Inf"), accumulate(histogram.counts), strict=True)
                family.add_metric(self._labels(attributes), list(up_to), histogram.sum)
            yield family

    def _labels(self, attributes: Attributes) -> list[str]:
        """An empty label is the same as none."""
        told = dict(attributes)
        return [self._run.name, str(told[_NAME]), str(told.get(_COLD, "")).lower()]


def write_otlp(run: Run, facts: Facts, to: IO[bytes]) -> None:
    """OTLP in its JSON form: what a collector takes at `/v1/metrics` (opentelemetry.io/docs/specs/otlp/).

    Raises UsageError where opentelemetry-proto is not there.
    """
    try:
        from google.protobuf.json_format import MessageToJson
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
        from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
    except ImportError as error:
        raise needs("otlp", "opentelemetry-proto") from error
    began_ns, ended_ns = bounds_ns(run)
    when = {"start_time_unix_nano": began_ns, "time_unix_nano": ended_ns}
    delta = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    about: Attributes = (("service.name", "coldbench"), ("coldbench.run", run.name))
    _attribute(resource.resource, (*about, ("coldbench.run_id", run.run_id)))
    scope = resource.scope_metrics.add()
    scope.scope.name, scope.scope.version = "coldbench", __version__
    found = metrics(facts)
    for name, values in found.counters.items():
        metric = scope.metrics.add(name=name, description=_MEANINGS[name], unit=f"{{{name.split('.')[1]}}}")
        metric.sum.is_monotonic, metric.sum.aggregation_temporality = True, delta
        for attributes, value in sorted(values.items()):
            _attribute(metric.sum.data_points.add(**when, as_int=value), attributes)
    for name, histograms in found.histograms.items():
        metric = scope.metrics.add(name=name, description=_MEANINGS[name], unit="s")
        metric.histogram.aggregation_temporality = delta
        for attributes, histogram in sorted(histograms.items(), key=lambda item: item[0]):
            point = metric.histogram.data_points.add(
                **when,
                count=sum(histogram.counts),
                sum=histogram.sum,
                bucket_counts=histogram.counts,
                explicit_bounds=BUCKETS_S,
            )
            _attribute(point, attributes)
    to.write(MessageToJson(request, indent=2).encode() + b"\n")


def _attribute(point: Any, attributes: Attributes) -> None:
    for key, value in attributes:
        held = point.attributes.add(key=key).value
        if isinstance(value, bool):
            held.bool_value = value
        else:
            held.string_value = value


def _underscored(name: str) -> str:
    return name.replace(".", "_")
