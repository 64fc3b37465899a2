"""How a verdict is drawn: its words, its colour and its symbol, the same in every picture."""

from collections.abc import Sequence

from coldbench.core.verdict import Verdict
from coldbench.report.html.charts import XY, Series

# In the order of drawing: cold ones lie over the others. The symbol is for those who see no colours; None is
# an invocation that is not judged yet.
VERDICTS: dict[Verdict | None, tuple[str, str]] = {
    Verdict.WARM: ("warm", "circle"),
    Verdict.PREINITIALISED: ("preinitialised", "triangle"),
    Verdict.COLD_AFFECTED: ("cold affected", "diamond"),
    Verdict.UNKNOWN: ("unknown", "emptyCircle"),
    Verdict.DISCARDED: ("discarded", "emptyRect"),
    Verdict.THROTTLED: ("throttled", "emptyDiamond"),
    Verdict.START_FAILED: ("start failed", "rect"),
    Verdict.COLD: ("cold", "circle"),
    None: ("not judged yet", "circle"),
}


def words(verdict: Verdict | None) -> str:
    """What it is called in a legend and a caption."""
    return VERDICTS[verdict][0]


def series(verdict: Verdict | None, data: Sequence[XY]) -> Series:
    """The points of the invocations with this verdict, in the colour that page.css has for it."""
    name, symbol = VERDICTS[verdict]
    return Series(name=name, data=data, colour=f"var(--{name.replace(' ', '-')})", symbol=symbol)
