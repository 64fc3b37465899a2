"""The page as HTML. It is inert: it fetches nothing, runs no script but its own two, and every string that
came from a server or a user is text."""

import base64
import hashlib
import sqlite3
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from coldbench.core.errors import UsageError
from coldbench.core.keepwarm import Round
from coldbench.core.summary import Run, State
from coldbench.report import lines
from coldbench.report.html.sections import sections
from coldbench.report.reading import reading
from coldbench.runs.events import EVENTS, read_events
from coldbench.runs.samples import SAMPLES, open_samples
from coldbench.runs.whole import write_whole

PAGE = "report.html"


def write_page(folder: Path, run: Run) -> Path:
    """Write `report.html` into the run's folder, all or nothing, and say where it is.

    Raises OSError where the folder cannot be written, UsageError where its samples cannot be read.
    """
    write_whole(folder / PAGE, read_page(folder, run).encode())
    return folder / PAGE


def read_page(folder: Path, run: Run, *, home: str | None = None, samples: Path | None = None) -> str:
    """The page of the run that is kept in `folder`; `home` is the address of the list that it belongs to, if
    it does to one; `samples` are those with its judgements, if not the folder's own. UsageError where they
    cannot be read.
    """
    path = folder / SAMPLES if samples is None else samples
    rounds = list(read_events(folder, Round)) if (folder / EVENTS).is_file() else []
    try:
        with open_samples(path) as connection:
            return page(run, connection, rounds, home=home)
    except (ValueError, TypeError) as error:  # a cell that is not what its column says
        raise UsageError(f"not readable as samples: {error}", place=str(path)) from error


def page(
    run: Run, samples: sqlite3.Connection, rounds: Sequence[Round] = (), *, home: str | None = None
) -> str:
    """The whole document; `rounds` are those of a keep-warm run."""
    return render(
        "run.html",
        title=lines.title(run),
        run=run,
        running=run.state is State.RUNNING,
        size=lines.size(run),
        losses=lines.losses(run),
        begun=lines.begun(run),
        answers=list(reading(run)),
        notes=list(lines.notes(run)),
        sections=list(sections(run, samples, rounds)),
        home=home,
    )


def render(template: str, **values: object) -> str:
    """A template of this folder, with the assets and the policy that each page has."""
    return _templates().get_template(template).render(policy=policy(), asset=_asset, **values)


@cache
def policy() -> str:
    """The Content-Security-Policy of our pages: nothing from anywhere, but our own style and scripts."""
    scripts = " ".join(_hash(name) for name in ("echarts.common.min.js", "draw.js"))
    return (
        f"default-src 'none'; script-src {scripts}; style-src {_hash('page.css')}; "
        "img-src data:; base-uri 'none'; form-action 'self'"
    )


@cache
def _asset(name: str) -> Markup:
    return Markup((files(__package__) / name).read_text(encoding="utf-8"))


def _hash(name: str) -> str:
    digest = hashlib.sha256(_asset(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("coldbench.report.html", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["json"] = _json
    return templates


def _json(value: object) -> Markup:
    """JSON that stands in a script element: no `<` in it, so that nothing in it can end the element."""
    return Markup(msgspec.json.encode(value).decode().replace("<", r"\u003c"))
