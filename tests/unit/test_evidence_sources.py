"""Which header told what."""

import pytest

from coldbench.evidence.sources import cookie_names, pins_an_instance, sources


def test_each_header_is_named_as_it_was_sent_with_what_it_told() -> None:
    found = sources(
        [
            ("X-Cold-Start", "true"),
            ("content-type", "text/plain"),
            ("Server-Timing", 'init;dur=80, age;dur=1, seq;desc="1", inst;desc="a", exec;dur=5'),
            ("Age", "30"),
            ("X-Other", "x"),
        ]
    )
    told = {source.name: source.told for source in found}
    assert told["X-Cold-Start"] == ("cold_flag",)
    assert {"init_ms", "exec_ms", "instance", "instance_seq"} <= set(told["Server-Timing"])
    assert told["Age"] == ("answered_by",)
    assert told["X-Other"] == ()
    assert "content-type" not in told


def test_a_declared_header_is_read_and_a_secret_is_not_shown() -> None:
    (source,) = sources([("X-Replica", "one")], instance_header="X-Replica")
    assert source.told == ("instance",)
    (hidden,) = sources([("X-Api-Key", "abc")])
    assert "abc" not in hidden.value


def test_a_header_sent_twice_is_one_source() -> None:
    (source,) = sources([("X-Cold-Start", "true"), ("x-cold-start", "false")])
    assert source.name == "X-Cold-Start"
    assert source.told == ()  # its twin contradicts it


@pytest.mark.parametrize(
    ("cookie", "pins"), [("AWSALB", True), ("ARRAffinitySameSite", True), ("theme", False)]
)
def test_affinity_cookies_are_known_by_name(cookie: str, pins: bool) -> None:
    assert cookie_names([("Set-Cookie", f"{cookie}=value; Path=/"), ("X", "y=z")]) == [cookie]
    assert pins_an_instance(cookie) is pins
