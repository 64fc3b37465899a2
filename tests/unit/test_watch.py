"""The generator's watch over itself."""

import pytest
from gevent.event import Event

from coldbench.engine import watch
from coldbench.engine.pacing import Pacer


def test_a_cpu_that_was_not_sampled_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    watching = watch.Watch(Pacer(Event()))
    watching.look()
    assert watching.cpu_pct_max is None
    monkeypatch.setattr(watch, "_SAMPLE_NS", 0)
    watching.look()
    assert watching.cpu_pct_max is not None
