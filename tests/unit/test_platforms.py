"""The table of platforms, and who is recognised by it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.errors import UsageError
from coldbench.evidence.headers import from_pairs
from coldbench.evidence.platforms import SHIPPED, platforms
from coldbench.evidence.read import read
from coldbench.evidence.recognise import platform_of, recognise
from coldbench.stats.cost import prices
from tests.recorded import recorded, recorded_platforms

# platform -> what its recorded answer tells; None: recognised only as "perhaps", or none at all
TOLD: dict[str, dict[str, object] | None] = {
    "aliyun_fc2": {
        "exec_ms": 4.0,
        "instance": "c-62b761c4-5a85e238b3ce404c817d",
        "request_id": "c5bc270e-2258-4cad-8f1a-99fcf160d34a",
    },
    "aliyun_fc3": {"request_id": "1-64f7449a-127fbe39cd7681596e33ebad"},
    "aws_apigateway": {"request_id": "made-up-1"},
    "aws_lambda_invoke": {},
    "aws_lambda_url": {"request_id": "2d5c6a9d-d3a4-4abb-9a57-c956ca3030f3"},
    "azure_functions": {},
    "baidu_cfc": {"request_id": "made-up-1"},
    "cloudflare_workers": {"request_id": "a09435e31dbe0677-IAD"},
    "deno_deploy": {},
    "digitalocean_functions": None,
    "fission": {"request_id": "made-up-1"},
    "fly_machines": {"request_id": "01K77TA95DPQZ8Y9HRXDGG5YPA-ord"},
    "fn_project": {"request_id": "made-up-1"},
    "gcp_cloud_run": {},
    "gcp_functions": {"request_id": "f9w1xts7agka"},
    "generic": None,
    "huawei_functiongraph": {"exec_ms": 1.913, "billed_ms": 100.0, "request_id": "made-up-1"},
    "ibm_code_engine": {"cold_flag": True, "request_id": "b8f66a71-9fac-4d21-bc85-fb434b4a82e7"},
    "knative": None,
    "koyeb": {},
    "modal": {"request_id": "fc-01KAKFSS"},
    "netlify": {"request_id": "01K47TX0D58YQY3874312XHQ8S"},
    "nuclio": {},
    "openfaas": {"exec_ms": 1001.162, "request_id": "made-up-1"},
    "openwhisk": {"request_id": "44794bd6aab74415b4e42a308d880e5b"},
    "railway": {"request_id": "made-up-1"},
    "render": {"request_id": "251835f2-2a4d-4591"},
    "scaleway_functions": {},
    "tencent_scf": {"request_id": "made-up-1"},
    "vercel": {"request_id": "cdg1::iad1::zclv9-1719224997952-452256b220b0"},
    "volcengine_vefaas": {},
    "yandex_functions": {"request_id": "made-up-1"},
}
FIELDS = ("cold_flag", "init_ms", "exec_ms", "billed_ms", "queue_ms", "instance", "request_id")


def test_every_platform_has_a_recorded_answer_and_the_other_way_round() -> None:
    assert recorded_platforms() == sorted(platforms()) == sorted(TOLD)


@pytest.mark.parametrize("platform", [name for name, told in TOLD.items() if told is not None])
def test_a_recorded_answer_is_recognised_and_read(platform: str) -> None:
    answer = recorded(platform)
    headers = from_pairs(answer.fields)
    assert platform_of(headers, answer.host) == platform
    evidence = read(headers, status=200, cold_header=None, instance_header=None, platform=platform)
    assert {name: said for name in FIELDS if (said := getattr(evidence, name)) is not None} == pytest.approx(
        TOLD[platform]
    )
    assert evidence.platform == platform


@pytest.mark.parametrize("platform", sorted(platforms()))
def test_behind_a_domain_of_ones_own_a_platform_is_known_by_its_signs_or_not_at_all(platform: str) -> None:
    known = platform_of(from_pairs(recorded(platform).fields), "www.example.org")
    # DigitalOcean runs OpenWhisk, which is what it then is known as.
    assert known in ({platform} if platforms()[platform].signs else {None, "openwhisk"})


@pytest.mark.parametrize("platform", ["knative", "digitalocean_functions"])
def test_what_others_send_too_or_an_unverified_host_is_a_hint_and_never_evidence(platform: str) -> None:
    answer = recorded(platform)
    found = recognise(from_pairs(answer.fields), answer.host)
    assert found is not None
    assert (found.id, found.sure) == (platform, False)
    assert platform_of(from_pairs(answer.fields), answer.host) is None


def test_what_nobody_has_verified_is_not_read() -> None:
    unverified = [
        (name, field.name, field.tells)
        for name, platform in platforms().items()
        for field in platform.fields
        if field.verified == "no" and field.at == "header" and field.tells
    ]
    assert len(unverified) > 5
    for platform, header, tells in unverified:
        headers = from_pairs([(header, "12")])
        evidence = read(headers, status=200, cold_header=None, instance_header=None, platform=platform)
        assert getattr(evidence, tells) is None


def test_everything_said_has_a_source_and_a_price_that_exists() -> None:
    table = SHIPPED.read_text()
    for name, platform in platforms().items():
        assert platform.price is None or platform.price in prices(None)
        assert platform.idle_s is None or platform.idle_verified == "no" or platform.sources, name
        for field in platform.fields:
            assert field.verified == "no" or field.sources, f"{name}: {field.name}"
            assert all(f"\n{source} = " in table for source in (*field.sources, *platform.sources))


def test_a_platform_of_ones_own_is_read_and_goes_before_ours(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(
        '[platform.house]\nname = "Our house"\nsigns = ["x-house"]\n'
        'fields = [{name = "X-House-Took", tells = "exec_ms", unit = "us", verified = "documented"},'
        '{name = "X-House-Cold", tells = "cold_flag", verified = "documented"}]\n'
    )
    headers = from_pairs(
        [("X-House", "1"), ("X-House-Took", "1500"), ("X-House-Cold", "yes"), ("x-vercel-id", "a")]
    )
    assert platform_of(headers, "house.example", str(own)) == "house"
    evidence = read(
        headers, status=200, cold_header=None, instance_header=None, platform="house", platforms=str(own)
    )
    assert (evidence.exec_ms, evidence.cold_flag, evidence.level) == (1.5, True, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[platform.x", "not a table of platforms"),
        ("[platform.x]", "name"),
        ('[platform.x]\nname = "x"\nidle_s = [9, 3]', "platform.x.idle_s"),
        ('[platform.x]\nname = "x"\nsigns = [": y"]', "platform.x: expected a header's name"),
        ('[platform.x]\nname = "x"\nhosts = ["*"]', "fits any host"),
        ('[platform.x]\nname = "x"\nfields = [{name = "y", tells = "colour", verified = "no"}]', "colour"),
        ('[platform.x]\nname = "x"\ncolour = 1', "colour"),
    ],
)
def test_a_bad_table_is_a_usage_error_that_names_the_place(text: str, said: str, tmp_path: Path) -> None:
    own = tmp_path / "bad.toml"
    own.write_text(text)
    with pytest.raises(UsageError) as caught:
        platforms(str(own))
    assert said in str(caught.value)
    assert "bad.toml" in str(caught.value)


def test_a_table_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        platforms(str(tmp_path / "none.toml"))


LINES = [
    "[platform.x]",
    "[platform.x.y]",
    "[sources]",
    'name = "x"',
    "name = 1",
    'hosts = ["*.x.example"]',
    'hosts = ["", "*"]',
    'signs = ["x-x", "x-y: z"]',
    'signs = [":"]',
    "idle_s = [1, 2.5]",
    "idle_s = [0, nan]",
    "idle_s = [1]",
    "concurrency = -1",
    'fields = [{ name = "X", verified = "no" }]',
    "fields = [{}]",
]


@given(st.binary(max_size=200) | st.lists(st.sampled_from(LINES)).map(lambda its: "\n".join(its).encode()))
def test_any_file_is_a_table_or_a_usage_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    own = tmp_path_factory.mktemp("own") / "any.toml"
    own.write_bytes(data)
    try:
        known = platforms(str(own))
    except UsageError:
        return
    assert known.keys() >= platforms().keys()
    assert platform_of(from_pairs([("X-X", "1")]), "f.x.example", str(own)) in {None, *known}


@given(
    st.lists(st.tuples(st.sampled_from(["Server", "X-Fc-Request-Id", "X-Cff-Invoke-Summary"]), st.text())),
    st.none() | st.text(),
)
def test_hostile_headers_and_hosts_never_raise(fields: list[tuple[str, str]], host: str | None) -> None:
    headers = from_pairs(fields)
    platform = platform_of(headers, host)
    for known in {platform, "huawei_functiongraph"}:
        read(headers, status=200, cold_header=None, instance_header=None, platform=known)
