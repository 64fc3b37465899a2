"""`openwhisk:NAMESPACE/[PACKAGE/]ACTION`: a blocking invocation, whose answer is the activation's record.

github.com/apache/openwhisk, docs/rest_api.md. Host and key are where `wsk` has them.
"""

import os
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from coldbench.core.errors import UsageError
from coldbench.targets.api import Api, read_url

# docs/reference.md, "Entity names"; theirs may have spaces inside, too, which no URL has.
_ENTITY = r"\w[\w@.-]*"
_ACTION = re.compile(rf"{_ENTITY}/(?:{_ENTITY}/)?{_ENTITY}", re.ASCII)
# The record with the action's result in it; a larger one is not read.
_MOST_RECORD_BYTES = 65_536


def parse_openwhisk_url(url: str) -> Api:
    """What has to be sent to invoke the action; `?apihost=` goes before the configuration.

    Raises UsageError for what is no action, or where host or key are not known.
    """
    hint = "write openwhisk:NAMESPACE/[PACKAGE/]ACTION; _ is your own namespace"
    named, said = read_url(url, _ACTION, ("apihost",), what="the name of an action", hint=hint)
    properties = _properties()
    host = said.get("apihost") or os.environ.get("__OW_API_HOST") or properties.get("APIHOST")
    key = os.environ.get("__OW_API_KEY") or properties.get("AUTH")
    if not host or not key:
        missing, hint = ("API host", "add ?apihost=https://...") if not host else ("key", "set __OW_API_KEY")
        raise UsageError(f"nobody says the {missing}", place=url, hint=f"{hint}, or write it to ~/.wskprops")
    base = host if "://" in host else f"https://{host}"
    namespace, _, action = named[0].partition("/")
    return Api(
        name=action.rpartition("/")[2],
        platform="openwhisk",
        endpoint=f"{base.rstrip('/')}/api/v1/namespaces/{namespace}/actions/{action}?blocking=true",
        headers=(("Authorization", f"Basic {b64encode(key.encode()).decode()}"),),
        evidence_body_bytes=_MOST_RECORD_BYTES,
    )


def _properties() -> Mapping[str, str]:
    """`NAME=VALUE`, a line each; none where there is no such file."""
    path = Path(os.environ.get("WSK_CONFIG_FILE") or Path.home() / ".wskprops")
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
