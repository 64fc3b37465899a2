"""A target: a URL with its method, headers and body, a name and a runtime label."""

from msgspec import Struct

# How much of a body is looked at for what is expected in it; so much is kept of one at a time.
EXPECTED_WITHIN_BYTES = 65_536


class Aws4(Struct, frozen=True, kw_only=True, tag="aws4"):
    """Each request is signed by AWS's Signature Version 4, for a service in a region."""

    region: str
    service: str


class Acs3(Struct, frozen=True, kw_only=True, tag="acs3"):
    """Each request is signed by Alibaba Cloud's ACS3-HMAC-SHA256, for an action of an API."""

    action: str
    version: str


class SdkHmac(Struct, frozen=True, kw_only=True, tag="sdk-hmac"):
    """Each request is signed by Huawei Cloud's SDK-HMAC-SHA256."""


class Tc3(Struct, frozen=True, kw_only=True, tag="tc3"):
    """Each request is signed by Tencent Cloud's TC3-HMAC-SHA256, for a service."""

    service: str


# How requests are signed; the keys stay in the environment and in files.
Signing = Aws4 | Acs3 | SdkHmac | Tc3


class Target(Struct, frozen=True, kw_only=True):
    """What is invoked, and how its answers are read.

    `url` is what the user wrote and what is shown; `endpoint` is where the requests go (they differ
    for `lab:` targets, whose address is known only once the lab has started, and for platform APIs).
    """

    name: str
    url: str
    endpoint: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    # values of the environment that stand in headers: secrets whatever the header is called
    secrets: tuple[str, ...] = ()
    body: bytes = b""
    runtime: str | None = None
    labels: dict[str, str] = {}  # the user's own: factors that runs are compared by
    timeout_ns: int = 60_000_000_000
    verify_tls: bool = True
    # host:port -> address, as `curl --resolve` takes it
    resolve: dict[str, str] = {}
    # names of headers that this target's owner says are its cold flag and its instance id
    cold_header: str | None = None
    instance_header: str | None = None
    platforms: str | None = None  # the user's own table of platforms: a file
    api: str | None = None  # the platform whose API it is: known before there is an answer
    # an answer of another status is not the function's; none: each may be
    expect_status: tuple[int, ...] = ()
    # nor is one without this text in the first EXPECTED_WITHIN_BYTES of its body
    expect_body: str | None = None
    # False for gateways that refuse headers they do not know
    send_id: bool = True
    signing: Signing | None = None
    # how much of each answer's body is evidence; without it the start of the first one is kept, for people
    evidence_body_bytes: int = 0
    fresh_connections: bool = False
    http2: bool = False  # offered by the probe; the engine speaks HTTP/1.1

    @property
    def body_bytes_wanted(self) -> int:
        """How much of each body has to be kept until the answer is whole."""
        return max(self.evidence_body_bytes, 0 if self.expect_body is None else EXPECTED_WITHIN_BYTES)

    def as_expected(self, body_start: bytes) -> bool:
        """Whether the body, as far as it is looked at, is one of the function's."""
        return self.expect_body is None or self.expect_body.encode() in body_start
