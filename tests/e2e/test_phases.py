"""The phases of an invocation against those of curl, on the same TLS server, one call after the other."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import monotonic_ns

import pytest
import trustme

from coldbench.core.invocation import Invocation
from coldbench.core.target import Target
from coldbench.probe.invoke import Caller

_TIMES = ("namelookup", "connect", "appconnect", "pretransfer", "starttransfer", "total")
_WRITE_OUT = "{" + ",".join(f'"{name}":%{{time_{name}}}' for name in _TIMES) + "}\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Its port, and a small file of authorities for curl to read, though neither side verifies."""
    authority = trustme.CA()
    ours, trusted = tmp_path / "server.pem", tmp_path / "authority.pem"
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(ours))
    authority.cert_pem.write_to_path(str(trusted))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.tls_server", str(ours)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield int(process.stdout.readline()), trusted
        finally:
            process.stdin.close()


def by_curl(port: int, trusted: Path) -> dict[str, float]:
    """Phases in ms of the second of two transfers: the first one loads what OpenSSL loads once a process."""
    done = subprocess.run(
        [
            "curl", "--silent", "--http1.1", "--no-sessionid", "--insecure", "--cacert", str(trusted),
            "--write-out", _WRITE_OUT,
            "--output", "/dev/null", f"https://localhost:{port}/",
            "--output", "/dev/null", f"https://127.0.0.1:{port}/",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    at = {name: 1000 * seconds for name, seconds in json.loads(done.stdout.splitlines()[1]).items()}
    return {
        "dns": at["namelookup"],
        "connect": at["connect"] - at["namelookup"],
        "tls": at["appconnect"] - at["connect"],
        "wait": at["starttransfer"] - at["pretransfer"],
        "download": at["total"] - at["starttransfer"],
    }


def by_probe(one: Invocation) -> dict[str, float]:
    assert one.completed, one
    assert one.end_ns is not None
    assert one.first_byte_ns is not None
    phases = {
        "dns": one.dns_ns,
        "connect": one.connect_ns,
        "tls": one.tls_ns,
        "wait": one.wait_ns,
        "download": one.end_ns - one.first_byte_ns,
    }
    return {name: phase / 1e6 for name, phase in phases.items() if phase is not None}


def differences(port: int, trusted: Path, pairs: int) -> dict[str, float]:
    """Of each phase the median difference of pairs, the probe's less curl's, ms."""
    url = f"https://127.0.0.1:{port}/"

    async def measure() -> list[dict[str, float]]:
        found = []
        async with Caller(
            Target(name="f", url=url, endpoint=url, verify_tls=False), "run", monotonic_ns()
        ) as caller:
            for seq in range(pairs):
                ours = by_probe(await caller.invoke(seq, phase="0:pair", intended_ns=0, fresh=True))
                curl = by_curl(port, trusted)
                found.append({name: ours[name] - curl[name] for name in curl})
        return found

    found = asyncio.run(measure())
    return {name: median(pair[name] for pair in found) for name in found[0]}


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_the_phases_are_those_of_curl_roughly(server: tuple[int, Path]) -> None:
    # A busy machine's scheduler, not ours, decides on the milliseconds here: the full form is below.
    found = differences(*server, pairs=15)
    assert set(found) == {"dns", "connect", "tls", "wait", "download"}
    assert max(map(abs, found.values())) < 5, found


@pytest.mark.accept
def test_the_phases_are_those_of_curl(server: tuple[int, Path]) -> None:
    found = differences(*server, pairs=200)
    print({name: f"{difference:+.3f} ms" for name, difference in found.items()})
    assert max(map(abs, found.values())) <= 0.3, found
