"""The platform of a target as far as its URL tells, before anything is sent."""

from coldbench.core.request import address
from coldbench.core.target import Target
from coldbench.evidence.platforms import Platform, platforms
from coldbench.evidence.recognise import recognise


def platform_by_url(target: Target) -> Platform | None:
    """None where neither scheme nor host is surely a platform's, or it is not reached by HTTP."""
    if target.api is not None:
        return platforms(target.platforms)[target.api]
    if not target.endpoint.startswith(("http://", "https://")):
        return None
    known = recognise({}, address(target.endpoint).host, target.platforms)
    return known.platform if known is not None and known.sure else None
