"""What a keep-warm run counts, for Prometheus, with OpenTelemetry's names for functions.

`faas.coldstarts`, `faas.invocations` and `faas.errors` are those of the semantic conventions
(opentelemetry.io/docs/specs/semconv/faas/faas-metrics/), written as Prometheus has names.
"""

from collections.abc import Sequence
from math import nan

from coldbench.core.errors import UsageError
from coldbench.core.invocation import Invocation
from coldbench.core.keepwarm import Round
from coldbench.core.pings import first_uses

_LABELS = ("faas_name",)


class Metrics:
    """Serves `http://HOST:PORT/metrics` from a thread, until `close`."""

    def __init__(self, host: str, port: int) -> None:
        """Raises UsageError where nothing can listen, or the library is not there."""
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
        except ImportError as error:
            raise UsageError(
                "needs prometheus-client", place="--metrics", hint="pip install 'coldbench[metrics]'"
            ) from error
        registry = CollectorRegistry()

        def counter(name: str, meaning: str) -> Counter:
            return Counter(name, meaning, _LABELS, registry=registry)

        def gauge(name: str, meaning: str) -> Gauge:
            return Gauge(name, meaning, _LABELS, registry=registry)

        self._cold = counter("faas_coldstarts", "Pings that were an instance's first use")
        self._invocations = counter("faas_invocations", "Pings that were answered")
        self._errors = counter("faas_errors", "Pings without a whole answer")
        self._asked = gauge("coldbench_instances_asked", "Instances to keep warm")
        self._reached = gauge("coldbench_instances_reached", "Distinct instances in the last round")
        self._period = gauge("coldbench_period_seconds", "Between two rounds")
        try:
            self._server, self._thread = start_http_server(port, host, registry)
        except OSError as error:
            raise UsageError(f"cannot listen: {error.strerror}", place=f"--metrics {host}:{port}") from error
        self.port = int(self._server.server_port)

    def invocations(self, its: Sequence[Invocation]) -> None:
        """Count them."""
        for one in its:
            if (cold := first_uses([one])) is not None:
                self._cold.labels(one.target).inc(cold)
            self._invocations.labels(one.target).inc(one.completed)
            self._errors.labels(one.target).inc(one.error is not None)

    def round(self, done: Round) -> None:
        """Take over what a round found."""
        self._asked.labels(done.target).set(done.asked)
        self._reached.labels(done.target).set(nan if done.reached is None else done.reached)
        self._period.labels(done.target).set(done.every_s)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
