"""One invocation as a record of facts: what was sent, when, and what came back."""

from enum import StrEnum

from msgspec import Struct


class Error(StrEnum):
    """Why an invocation has no whole response. A closed set; a response of any status is not an error."""

    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS = "tls"
    TLS_TIMEOUT = "tls_timeout"
    SEND = "send"
    TIMEOUT = "timeout"  # sent, and no whole response in the time allowed
    RESET = "reset"  # the peer reset the connection
    CLOSED = "closed"  # the peer closed before the response was whole
    STALE_REUSE = "stale_reuse"  # a reused connection closed before the first byte; never retried
    PROTOCOL = "protocol"  # not HTTP, or HTTP that contradicts itself
    TOO_LARGE = "too_large"  # header or body bytes above the bound
    DESCRIPTORS = "descriptors"  # out of file descriptors: our side
    INTERNAL = "internal"  # a fault of ours


class AnsweredBy(StrEnum):
    """Who produced the response, as far as it tells."""

    FUNCTION = "function"  # positive evidence: the shim or the platform says that the function ran
    CACHE = "cache"
    GATEWAY = "gateway"  # the platform answered in the function's place
    THROTTLE = "throttle"
    UNEXPECTED = "unexpected"  # not what the target's owner expects of the function
    FAILED_START = "failed_start"  # the platform says that no instance came up
    UNSTATED = "unstated"


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What one response tells about the instance behind it. None means not observed, never 0.

    `raw` holds the fields as they were sent (secrets redacted), so that a better reader can read them
    again. `level` is DESIGN.md's evidence level of this one response.
    """

    level: int = 0
    cold_flag: bool | None = None  # "first use", not "paid"
    init_ms: float | None = None
    # does init_ms say that this caller waited for it (a platform's report), or is it a constant of the
    # instance that comes with every answer (the shim)?
    init_is_per_instance: bool = False
    # the shim counts init from process start, so that startup minus init is platform overhead
    init_from_process_start: bool = False
    init_spans_ms: dict[str, float] = {}
    exec_ms: float | None = None
    billed_ms: float | None = None
    queue_ms: float | None = None  # from the platform's receipt of the request to its arrival at the instance
    instance: str | None = None
    container: str | None = None  # the platform's own id, where `instance` is the shim's: of a process in it
    instance_seq: int | None = None  # 1 for the instance's first invocation
    instance_age_ms: float | None = None  # from the end of init to the arrival of this request
    request_id: str | None = None
    platform: str | None = None
    answered_by: AnsweredBy = AnsweredBy.UNSTATED
    answered_why: str | None = None  # the field that says so
    raw: dict[str, str] = {}

    @property
    def tells_of_use(self) -> bool:
        """Whether anything says, or with other answers may say, if this was its instance's first use."""
        paid = self.init_ms is not None and not self.init_is_per_instance
        return paid or not (self.cold_flag is None and self.instance is None and self.instance_seq is None)


class Invocation(Struct, frozen=True, kw_only=True, gc=False):
    """The facts of one invocation: a row of the table `invocation` of `samples.db`.

    Instants are integer nanoseconds of the run's monotonic clock since its start; durations are
    nanoseconds. An invocation without `error` and without `end_ns` was unfinished at the end barrier.
    """

    seq: int
    target: str
    phase: str
    worker: int = 0
    intended_ns: int
    started_ns: int | None = None
    sent_ns: int | None = None
    first_byte_ns: int | None = None
    end_ns: int | None = None
    dns_ns: int | None = None
    connect_ns: int | None = None
    tls_ns: int | None = None
    reused: bool | None = None
    status: int | None = None
    error: Error | None = None
    body_bytes: int | None = None  # on the wire; the column is called `bytes`
    evidence: Evidence = Evidence()

    @property
    def completed(self) -> bool:
        """A whole response of any status came back."""
        return self.error is None and self.status is not None and self.end_ns is not None

    @property
    def unfinished(self) -> bool:
        """In flight at the end barrier: what is known is that it took at least so long."""
        return self.error is None and self.end_ns is None

    @property
    def dialled(self) -> bool:
        """Its connection was made within the invocation, not before it and not for an earlier one."""
        if self.connect_ns is None or self.sent_ns is None or self.started_ns is None:
            return False
        return self.sent_ns - self.started_ns >= self.connect_ns

    @property
    def wait_ns(self) -> int | None:
        """From the first byte sent to the first byte received."""
        if self.sent_ns is None or self.first_byte_ns is None:
            return None
        return self.first_byte_ns - self.sent_ns

    @property
    def service_ns(self) -> int | None:
        """From the first byte sent to the last byte received."""
        if self.sent_ns is None or self.end_ns is None:
            return None
        return self.end_ns - self.sent_ns

    @property
    def response_ns(self) -> int | None:
        """From the intended start to the last byte received: free of coordinated omission."""
        return None if self.end_ns is None else self.end_ns - self.intended_ns

    @property
    def lateness_ns(self) -> int | None:
        """From the intended start to the dispatch: the generator's fault only."""
        return None if self.started_ns is None else self.started_ns - self.intended_ns
