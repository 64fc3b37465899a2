"""What the requests go through: httpx's transport, and the TLS it speaks."""

import ssl
from functools import cache

import httpcore
import httpx

from coldbench.probe.network import Network


class Transport(httpx.AsyncHTTPTransport):
    """httpx's transport over a network of ours: httpx takes none, the pool under it does."""

    def __init__(self, network: Network, tls: ssl.SSLContext, *, http2: bool) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls, max_connections=1, http2=http2, network_backend=network
        )
        self.network = network


@cache
def tls_context(*, verify: bool) -> ssl.SSLContext:
    """The system's trust, as the engine's. One for all callers: reading it takes some 20 ms."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
