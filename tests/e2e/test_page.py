"""The page of a run in a real browser: it draws, fetches nothing, complains of nothing, obeys no server."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from coldbench.core.summary import TargetInfo
from coldbench.core.verdict import ColdKind, Verdict
from coldbench.report.html.page import write_page
from tests.e2e.browser import CHROMIUM, Page, as_url, browser
from tests.unit.report_runs import NODE, PYTHON, run_of
from tests.unit.sampled import call, judged, samples_in

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="NOT TESTED: chromium is not installed"),
]

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}

# Of each picture: how many of its canvas's pixels differ from the first one (of a copy: to read the canvas
# itself would be complained of).
PIXELS = """[...document.querySelectorAll("figure canvas")].map((canvas) => {
    const {width, height} = canvas;
    const copy = Object.assign(document.createElement("canvas"), {width, height})
        .getContext("2d", {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    const pixels = new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer);
    return pixels.filter((pixel) => pixel !== pixels[0]).length;
})"""
DRAWN = """new Promise((done) => {
    const look = () => [...document.querySelectorAll("figure")].every((figure) => figure.dataset.drawn)
        ? done(true) : requestAnimationFrame(look);
    look();
})"""


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The page of a run of a python and of a target that attacks whoever reads about it."""
    facts = [
        call(seq, at_ms=10 * seq, wait_ms=80 if seq < 20 else 5, target="python", instance=f"i{seq % 9}")
        for seq in range(300)
    ]
    facts += [call(seq, at_ms=3 * seq, target=HOSTILE, instance=HOSTILE) for seq in range(300, 340)]
    verdicts = [judged(seq, Verdict.COLD, ColdKind.IDLE) for seq in range(20)]
    verdicts += [judged(seq, Verdict.WARM) for seq in range(20, 340)]
    samples_in(tmp_path, facts, verdicts)
    attacker = replace(NODE, target=HOSTILE, first_response=HOSTILE, notes=(HOSTILE,))
    targets = [TargetInfo(name=its.target, url=HOSTILE, platform=HOSTILE) for its in (PYTHON, attacker)]
    return write_page(tmp_path, run_of(PYTHON, attacker, name=HOSTILE, targets=tuple(targets)))


def looked_at(page: Path, look: Callable[[Page], Awaitable[Any]]) -> Any:
    """Open the page, do what `look` does, and see that nothing was fetched, hacked or complained of."""

    async def drive() -> Any:
        async with browser() as tab:
            await tab.open(as_url(page))
            assert await tab.value(DRAWN)
            found = await look(tab)
            assert await tab.value("typeof window.hacked") == "undefined"
            assert tab.faults == []
            assert tab.requests == [as_url(page)]
            return found

    return asyncio.run(asyncio.wait_for(drive(), 60))


def test_every_picture_is_drawn_and_in_the_dark_in_other_colours(kept: Path) -> None:
    async def look(tab: Page) -> None:
        light = await tab.value(PIXELS)
        assert len(light) == 7  # of two targets: over time, instances; then waits, startup, arrivals
        assert all(number > 500 for number in light)
        before = await tab.value("getComputedStyle(document.body).backgroundColor")
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        await tab.call("Emulation.setEmulatedMedia", features=dark)
        assert await tab.value(DRAWN)
        assert await tab.value("getComputedStyle(document.body).backgroundColor") != before
        assert all(number > 500 for number in await tab.value(PIXELS))

    looked_at(kept, look)


def test_a_phone_need_not_scroll_sideways(kept: Path) -> None:
    async def look(tab: Page) -> None:
        await tab.call("Emulation.setDeviceMetricsOverride", **PHONE)
        await tab.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert await tab.value("document.documentElement.scrollWidth") == PHONE["width"]
        widest = await tab.value(
            "Math.max(...[...document.querySelectorAll('canvas')].map(c => c.clientWidth))"
        )
        assert 250 < widest <= PHONE["width"]

    looked_at(kept, look)


def test_it_prints(kept: Path) -> None:
    async def look(tab: Page) -> bytes:
        printed = await tab.call("Page.printToPDF", printBackground=True)
        assert await tab.value("'print' in document.documentElement.dataset") is False
        return base64.b64decode(printed["data"])

    assert looked_at(kept, look).startswith(b"%PDF")


@pytest.mark.accept
def test_a_million_invocations_are_one_page(tmp_path: Path) -> None:
    number, every = 1_000_000, 100
    facts = (call(seq, at_ms=seq // 2, target="python", instance=f"i{seq % 300}") for seq in range(number))
    verdicts = (
        judged(seq, Verdict.WARM if seq % every else Verdict.COLD, None if seq % every else ColdKind.SCALEOUT)
        for seq in range(number)
    )
    samples_in(tmp_path, facts, verdicts)
    began = time.perf_counter()
    page = write_page(tmp_path, run_of(PYTHON))
    made = time.perf_counter()
    assert page.stat().st_size < 12_000_000

    async def look(tab: Page) -> int:
        print(f"made in {made - began:.1f} s; {page.stat().st_size:,} bytes; ", end="")
        print(f"opened {await tab.value('Math.round(performance.now())')} ms after it was asked for")
        drawn = """echarts.getInstanceByDom(document.querySelector(".chart")).getOption().series
            .find((one) => one.name === "cold").data.length"""
        return int(await tab.value(drawn))

    assert looked_at(page, look) == number // every
