"""The platform of a target as far as its host tells, before anything is sent."""

from coldbench.core.request import address
from coldbench.core.target import Target
from coldbench.evidence.platforms import Platform
from coldbench.evidence.recognise import recognise


def platform_by_host(target: Target) -> Platform | None:
    """None where the host is not surely a platform's, or the target is not reached by HTTP."""
    if not target.endpoint.startswith(("http://", "https://")):
        return None
    known = recognise({}, address(target.endpoint).host, target.platforms)
    return known.platform if known is not None and known.sure else None
