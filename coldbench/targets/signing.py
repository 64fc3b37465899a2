"""The header fields of a target's request, signed where the target asks for that."""

from collections.abc import Callable

from coldbench.core.request import request_fields
from coldbench.core.target import Target

# AWS takes a signature for five minutes from its date, and as often as it is sent.
RENEW_S = 60.0

Fields = list[tuple[str, str]]


def signer(target: Target) -> Callable[[], Fields]:
    """What gives the fields in the order they are sent, signed anew at each call; without the id.

    It raises UsageError where there are no credentials, or none that are valid.
    """
    if target.signing is not None:
        from coldbench.targets.aws import aws_signer

        return aws_signer(target, target.signing)
    fields = request_fields(target)
    return lambda: fields
