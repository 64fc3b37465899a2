"""The options that commands share, as curl has them where curl has them."""

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[
    list[str] | None,
    typer.Option(
        "--url",
        metavar="[NAME=]URL",
        help="http(s)..., lab:RUNTIME, or a platform's API (docs/targets.md). Repeatable.",
    ),
]
Runtime = Annotated[
    list[str] | None,
    typer.Option(
        "--runtime", metavar="[NAME=]LABEL", help="The runtime label of the targets, or of one of them."
    ),
]
Method = Annotated[
    str | None, typer.Option("-X", "--method", help="The HTTP method (default GET; POST with -d).")
]
Header = Annotated[
    list[str] | None,
    typer.Option(
        "-H",
        "--header",
        metavar="'NAME: VALUE'",
        help="A header; @FILE takes one a line; $VAR is read from the environment.",
    ),
]
Data = Annotated[str | None, typer.Option("-d", "--data", help="The body, or @FILE. Implies POST.")]
Timeout = Annotated[
    str, typer.Option("--timeout", metavar="DURATION", help="The longest an invocation may take.")
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Do not verify TLS certificates.")]
Resolve = Annotated[
    list[str] | None,
    typer.Option("--resolve", metavar="HOST:PORT:ADDR", help="Use ADDR for HOST:PORT instead of DNS."),
]
Connections = Annotated[
    str,
    typer.Option(
        "--connections",
        metavar="reuse|fresh",
        help="reuse: kept alive, opened before a burst; fresh: each invocation dials when it is due.",
    ),
]
ColdHeader = Annotated[
    str | None, typer.Option("--cold-header", metavar="NAME", help="The header that says true/false: cold.")
]
InstanceHeader = Annotated[
    str | None,
    typer.Option("--instance-header", metavar="NAME", help="The header that carries the instance's id."),
]
Platforms = Annotated[
    Path | None,
    typer.Option("--platforms", metavar="FILE", help="Your own table of platforms, read before ours."),
]
ExpectStatus = Annotated[
    str | None,
    typer.Option(
        "--expect-status",
        metavar="CODE[,CODE]",
        help="The function's answers have this status; others are discarded, and counted.",
    ),
]
ExpectBody = Annotated[
    str | None,
    typer.Option(
        "--expect-body",
        metavar="TEXT",
        help="The function's answers have this text in their body; others are discarded, and counted.",
    ),
]
NoId = Annotated[
    bool,
    typer.Option("--no-id", help="Do not send X-Coldbench-Id (for gateways that refuse unknown headers)."),
]
AwsSigv4 = Annotated[
    str | None,
    typer.Option(
        "--aws-sigv4",
        metavar="aws:amz[:REGION[:SERVICE]]",
        help="Sign each request for AWS (IAM function URLs, API Gateway), with the usual credentials.",
    ),
]
Curl = Annotated[
    str | None,
    typer.Option("--curl", metavar="'COMMAND'", help="What to invoke, as a pasted curl command says it."),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="[NAME.]KEY=VALUE",
        help="A factor of the targets, or of one of them, kept with the run: --label py.memory=512.",
    ),
]
Name = Annotated[str | None, typer.Option("--name", help="The run's name.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder that run folders go to.")]
JsonTo = Annotated[
    str | None, typer.Option("--json", metavar="FILE|-", help="Write the run as JSON; - is stdout.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Nothing but errors for people to read.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Of every random choice; shown and kept.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a profile's key: size=20, burst.size=20, repeat=1."),
]
MaxInvocations = Annotated[
    int | None,
    typer.Option("--max-invocations", min=0, metavar="N", help="Refuse a plan of more than N invocations."),
]
PriceOf = Annotated[
    str | None, typer.Option("--price", metavar="PLATFORM", help="Whose prices: aws_lambda ...")
]
Prices = Annotated[Path | None, typer.Option("--prices", metavar="FILE", help="Your own prices, as TOML.")]
Memory = Annotated[int, typer.Option("--memory", metavar="MB", min=1, help="Of an instance, for the price.")]
Vcpu = Annotated[float, typer.Option("--vcpu", min=0, help="Of an instance, for the price.")]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost", min=0, metavar="USD", help="Refuse a dearer plan (run), end when so much is spent."
    ),
]
Checks = Annotated[
    list[str] | None,
    typer.Option(
        "--check", metavar="'EXPR'", help="Exit with 99 unless it holds: 'startup_ms.p95 < 800'. Repeatable."
    ),
]
Junit = Annotated[
    str | None, typer.Option("--junit", metavar="FILE", help="Write the checks as JUnit XML, for CI.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and send nothing.")]
