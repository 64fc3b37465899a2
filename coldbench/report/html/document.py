"""What a page is made of, before it is HTML."""

from msgspec import Struct

from coldbench.report.table import Table


class Figure(Struct, frozen=True, kw_only=True):
    """A picture: an option object of ECharts (echarts.apache.org/en/option.html), and what it means.

    A colour in it may be `var(--name)`, a variable of `page.css`, so that it is right in light and dark.
    """

    title: str
    caption: str
    option: dict[str, object]
    height_px: int = 320


class Section(Struct, frozen=True, kw_only=True):
    """One question of the reader: the pictures that answer it, then the tables behind them."""

    title: str
    figures: list[Figure] = []
    tables: list[Table] = []
    words: list[str] = []
