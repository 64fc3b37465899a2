"""Profiles: what is read, what is refused and how, and what --set changes."""

from pathlib import Path

import pytest

from coldbench.cli.profiles import find_profile
from coldbench.core.errors import UsageError
from coldbench.core.profile import Burst, Idle, Profile, Ramp, Rate, Users, apply_settings, parse_profile

S = 10**9
SHIPPED = ["ab", "burst", "idle-gap", "ramp", "soak", "spike", "steady"]

EVERY_KIND = """
description = "all"
repeat = 2
[[stage]]
kind = "idle"
duration = "0s"
[[stage]]
kind = "burst"
size = 20
[[stage]]
kind = "rate"
rate = 2.5
duration = "10s"
arrivals = "poisson"
[[stage]]
kind = "ramp"
from = 0
to = 10
duration = "1m"
[[stage]]
kind = "users"
users = 3
duration = "5s"
think = "100ms"
"""


def test_every_kind() -> None:
    assert parse_profile(EVERY_KIND, "profiles/all.toml") == Profile(
        name="all",
        description="all",
        repeat=2,
        stages=(
            Idle(duration_ns=0),
            Burst(size=20),
            Rate(rate=2.5, duration_ns=10 * S, arrivals="poisson"),
            Ramp(rate_from=0, rate_to=10, duration_ns=60 * S),
            Users(users=3, duration_ns=5 * S, think_ns=S // 10),
        ),
    )


def test_what_may_be_left_out() -> None:
    profile = parse_profile('[[stage]]\nkind="users"\nusers=1\nduration="1s"', "x.toml")
    assert (profile.repeat, profile.description) == (1, "")
    assert profile.stages == (Users(users=1, duration_ns=S, think_ns=0),)


BURST = '[[stage]]\nkind = "burst"\nsize = 5\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "repeat = 3\nsize 5",
            r"^x.toml: not TOML: Expected .=. after a key in a key/value pair \(at line 2, column 6\)$",
        ),
        ("", r"^x.toml: expected \[\[stage\]\] tables, at least one"),
        ("stage = 3", r"^x.toml: expected \[\[stage\]\] tables"),
        ("stage = []", r"^x.toml: expected \[\[stage\]\] tables"),
        ("stage = [1]", r"^x.toml: expected \[\[stage\]\] tables"),
        ("[stage]\nkind='burst'", r"^x.toml: expected \[\[stage\]\] tables"),
        (
            "repeat = 0\n" + BURST,
            r"^x.toml: repeat: expected a whole number of at least 1, at most 10000, got 0$",
        ),
        ("repeat = true\n" + BURST, r"got true$"),
        ("description = 5\n" + BURST, r"^x.toml: description: expected a text, got 5$"),
        ("repeats = 3\n" + BURST, r"^x.toml: repeats: unknown key of a profile \(did you mean repeat\?"),
        (
            BURST + "[[stage]]\nduration='1s'",
            r"^x.toml: stage 2: kind: missing \(there is: idle, burst, rate",
        ),
        (BURST + "[[stage]]\nkind='brust'", r'stage 2: kind: unknown kind "brust" \(did you mean burst\?'),
        (BURST + "[[stage]]\nkind=['burst']", r"stage 2: kind: unknown kind \['burst'\]"),
        (BURST + "[[stage]]\nkind='burst'", r"stage 2: size: missing; expected a whole number of at least 1"),
        (
            BURST + "[[stage]]\nkind='burst'\nsize='many'",
            r'^x.toml: stage 2: size: expected a whole number of at least 1, at most 1000000, got "many"$',
        ),
        (BURST + "[[stage]]\nkind='burst'\nsize=2.0", r"got 2.0$"),
        (BURST + '[[stage]]\nkind="burst"\nsize="a\\nb"', r'got "a\\nb"$'),
        (BURST + "[[stage]]\nkind='burst'\nsize=1000001", r"got 1000001$"),
        (
            BURST + "[[stage]]\nkind='burst'\nsize=1\nsizes=1",
            r"2: sizes: unknown key of burst \(did you mean size\?",
        ),
        (
            BURST + "[[stage]]\nkind='idle'\nduration=30",
            r"stage 2: duration: expected a duration such as .*, got 30$",
        ),
        (BURST + "[[stage]]\nkind='idle'\nduration='-1s'", r'got "-1s"$'),
        ("[[stage]]\nkind='rate'\nrate=0\nduration='1s'", r"stage 1: rate: expected a number .* above 0"),
        ("[[stage]]\nkind='rate'\nrate=nan\nduration='1s'", r"got nan$"),
        ("[[stage]]\nkind='rate'\nrate=inf\nduration='1s'", r"got inf$"),
        ("[[stage]]\nkind='rate'\nrate=1\nduration='0s'", r'stage 1: duration: .* above 0, got "0s"$'),
        (
            "[[stage]]\nkind='rate'\nrate=1\nduration='1s'\narrivals='even'",
            r'expected "uniform" or "poisson", got "even"$',
        ),
        ("[[stage]]\nkind='ramp'\nfrom=-1\nto=2\nduration='1s'", r"stage 1: from: expected .*, got -1$"),
        (
            "[[stage]]\nkind='idle'\nduration='1s'",
            r"^x.toml: expected a stage that invokes \(there is: burst, rate",
        ),
        ("description = [" + "1," * 99 + "]\n" + BURST, r"got \[1, 1, .*\.\.\.$"),
    ],
)
def test_a_bad_profile_says_where_and_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        parse_profile(text, "x.toml")
    assert "\n" not in str(refused.value)


def test_set_changes_the_key_wherever_it_is() -> None:
    profile = parse_profile(EVERY_KIND, "all.toml")
    changed = apply_settings(
        profile, ["duration=8s", "burst.size=7", "repeat=5", "think=1s", "arrivals=uniform"]
    )
    assert changed.repeat == 5
    assert changed.stages == (
        Idle(duration_ns=8 * S),
        Burst(size=7),
        Rate(rate=2.5, duration_ns=8 * S, arrivals="uniform"),
        Ramp(rate_from=0, rate_to=10, duration_ns=8 * S),
        Users(users=3, duration_ns=8 * S, think_ns=S),
    )


def test_set_in_one_kind_leaves_the_others() -> None:
    changed = apply_settings(parse_profile(EVERY_KIND, "all.toml"), ["idle.duration=8s", "ramp.from=1.5"])
    assert changed.stages[0] == Idle(duration_ns=8 * S)
    assert changed.stages[2] == Rate(rate=2.5, duration_ns=10 * S, arrivals="poisson")
    assert changed.stages[3] == Ramp(rate_from=1.5, rate_to=10, duration_ns=60 * S)


def test_set_to_the_value_that_is_there_is_no_error() -> None:
    profile = parse_profile(BURST, "x.toml")
    assert apply_settings(profile, ["size=5"]) == profile


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("size", r"^--set size: expected KEY=VALUE$"),
        ("=5", r'nothing in profile x is called "" \(to set: repeat, burst.size\)$'),
        ("rate=5", r'nothing in profile x is called "rate" \(to set: repeat, burst.size\)$'),
        ("idle.size=5", r'called "idle.size"'),
        ("burst.kind=idle", r'called "burst.kind"'),
        ("size=many", r'^--set size=many: expected a whole number .*, got "many"$'),
        ("size=", r'got ""$'),
        ("size=1.5", r"got 1.5$"),
        ("repeat=0", r"^--set repeat=0: expected a whole number"),
    ],
)
def test_a_bad_set_says_what_can_be_set(setting: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        apply_settings(parse_profile(BURST, "x.toml"), [setting])


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_is_sound_and_described(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    profile = parse_profile(*find_profile(name))
    assert profile.name == name
    assert len(profile.description) > 40


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("burst", ["repeat=1", "idle.duration=8s", "size=20"]),
        ("steady", ["rate=5", "duration=5s"]),
        ("ramp", ["from=0", "to=5", "duration=5s"]),
        ("soak", ["rate=2", "duration=5s"]),
        ("ab", ["users=2", "duration=5s"]),
        ("idle-gap", ["repeat=2", "duration=5s"]),
    ],
)
def test_the_settings_that_the_design_promises(name: str, settings: list[str]) -> None:
    before = parse_profile(*find_profile(name))
    for setting in settings:
        assert apply_settings(before, [setting]) != before


def test_a_profile_is_looked_for_as_a_path_then_among_ones_own_then_among_those_that_ship(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped, _ = find_profile("burst")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "burst.toml").write_text("own")
    assert find_profile("burst") == ("own", "profiles/burst.toml")
    (tmp_path / "burst").write_text("path")
    assert find_profile("burst") == ("path", "burst")
    assert "silence" in shipped


def test_an_unknown_profile_names_those_that_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.toml").write_text("")
    with pytest.raises(UsageError, match=r"^--profile bust: no such profile .*ab, burst, .*mine.*steady"):
        find_profile("bust")
    with pytest.raises(UsageError, match="no such profile"):
        find_profile("../profiles/mine")
    with pytest.raises(UsageError, match="no such profile"):
        find_profile("profiles")


def test_a_profile_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        find_profile(str(path))
