"""From the command line to targets."""

import pytest

from coldbench.cli.targets import TargetOptions, read_targets
from coldbench.core.errors import UsageError

URL = "http://example.com/"


def test_names_come_from_the_url_and_are_unique() -> None:
    urls = ["http://a.example/", "x=http://a.example/", "http://a.example/?b=c", "lab:python"]
    targets = read_targets(TargetOptions(url=urls))
    assert [target.name for target in targets] == ["a.example", "x", "a.example-2", "python"]
    assert [target.runtime for target in targets] == [None, None, None, "python"]


@pytest.mark.parametrize("url", ["nonsense", "ftp://h/", "http://[::1", "http://h:99999/", "http://a..b/"])
@pytest.mark.parametrize("name", ["", "x="])
def test_a_url_that_is_none_is_said_before_the_start(url: str, name: str) -> None:
    with pytest.raises(UsageError):
        read_targets(TargetOptions(url=[f"{name}{url}"]))


@pytest.mark.parametrize(
    ("options", "place"),
    [
        (TargetOptions(url=[URL], timeout="0s"), "--timeout 0s"),
        (TargetOptions(url=[URL], timeout="soon"), "--timeout"),
        (TargetOptions(url=[URL], method="GE T"), "--method 'GE T'"),
        (TargetOptions(url=[URL], method="A\r\nB: c"), "--method"),
        (TargetOptions(url=[URL], resolve=["foo"]), "--resolve"),
        (TargetOptions(url=[URL], expect_status="ok"), "--expect-status"),
        (TargetOptions(url=[URL], expect_status="200,"), "--expect-status"),
        (TargetOptions(url=[URL, f"a={URL}", f"a={URL}"]), "--url"),
        (TargetOptions(url=[URL], header=["X: a\r\nY: b"]), "--header"),
        (TargetOptions(url=[URL], header=["X: $COLDBENCH_NO_SUCH_VARIABLE"]), "--header"),
        (TargetOptions(url=[URL], data="@/no/such/file"), "--data"),
        (TargetOptions(url=[]), None),
    ],
)
def test_a_bad_option_is_said_with_its_place(options: TargetOptions, place: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        read_targets(options)
    assert (raised.value.place or "").startswith(place or "")
    assert (raised.value.place is None) == (place is None)


def test_runtimes_label_all_targets_or_one() -> None:
    given = TargetOptions(url=[f"a={URL}", f"b={URL}"])
    labelled = read_targets(given, runtimes=["node", "b=go"])
    assert [target.runtime for target in labelled] == ["node", "go"]
    with pytest.raises(UsageError, match="no target is called c"):
        read_targets(given, runtimes=["c=go"])


def test_connections_are_reused_or_fresh() -> None:
    assert read_targets(TargetOptions(url=[URL]), connections="fresh")[0].fresh_connections
    with pytest.raises(UsageError, match="expected reuse or fresh"):
        read_targets(TargetOptions(url=[URL]), connections="none")


def test_the_body_implies_post_and_a_method_stands() -> None:
    assert read_targets(TargetOptions(url=[URL], data=""))[0].method == "POST"
    assert read_targets(TargetOptions(url=[URL], data="x", method="put"))[0].method == "PUT"


def test_a_body_is_called_a_form_unless_its_type_is_given_as_curl_has_it() -> None:
    form = ("Content-Type", "application/x-www-form-urlencoded")
    assert read_targets(TargetOptions(url=[URL], data="a=1"))[0].headers == (form,)
    json = read_targets(TargetOptions(url=[URL], data="{}", header=["content-type: application/json"]))
    assert json[0].headers == (("content-type", "application/json"),)
    assert read_targets(TargetOptions(url=[URL]))[0].headers == ()


def test_a_resolved_name_is_found_in_any_case() -> None:
    (target,) = read_targets(TargetOptions(url=[URL], resolve=["Example.COM:80:[::1]"]))
    assert target.resolve == {"example.com:80": "::1"}


def test_labels_are_of_all_targets_or_of_one_whose_name_may_have_dots() -> None:
    given = TargetOptions(url=["http://a.example/", f"b={URL}"], label=["region=eu", "a.example.memory=512"])
    assert [t.labels for t in read_targets(given)] == [{"region": "eu", "memory": "512"}, {"region": "eu"}]
    for label, said in (
        ("c.memory=1", "no target is called c"),
        ("memory", "expected"),
        ("b.=1", "expected"),
    ):
        with pytest.raises(UsageError, match=said):
            read_targets(TargetOptions(url=[f"b={URL}"], label=[label]))


def test_a_pasted_curl_command_is_a_target_and_other_options_add_to_it() -> None:
    pasted = f"curl '{URL}' -H 'A: b' --data-raw '{{}}' -k"
    (target,) = read_targets(TargetOptions(curl=pasted, header=["C: d"], timeout="5s"))
    assert (target.name, target.method, target.body, target.verify_tls) == (
        "example.com",
        "POST",
        b"{}",
        False,
    )
    assert target.headers[:2] == (("A", "b"), ("C", "d"))
    with pytest.raises(UsageError, match="says it, too"):
        read_targets(TargetOptions(curl=pasted, data="x"))
