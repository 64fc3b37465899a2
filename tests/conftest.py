"""What holds for all tests."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.reliability import Page, promised

# The machines are noisy: how long an example takes says nothing.
settings.register_profile("coldbench", deadline=None)
settings.load_profile("coldbench")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reliability", metavar="FILE", help="write the page of promises to FILE")


def pytest_configure(config: pytest.Config) -> None:
    # A shell's background job ignores SIGINT, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Of several workers the one that they report to writes it.
    if (path := config.getoption("--reliability")) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Page(Path(path)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for promise in promised(item):
        item.user_properties.append(("promise", promise))
