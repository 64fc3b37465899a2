"""The header fields of a target's request, signed where the target asks for that."""

from collections.abc import Callable

from coldbench.core.request import request_fields
from coldbench.core.target import Acs3, Aws4, SdkHmac, Target, Tc3

# AWS takes a signature for five minutes from its date (Huawei Cloud: fifteen), and as often as it is sent.
RENEW_S = 60.0

Fields = list[tuple[str, str]]


def signer(target: Target) -> Callable[[], Fields]:
    """What gives the fields in the order they are sent, signed anew at each call; without the id.

    It raises UsageError where there are no credentials, or none that are valid.
    """
    match target.signing:
        case Aws4() as signing:
            from coldbench.targets.aws import aws_signer

            return aws_signer(target, signing)
        case Acs3() as signing:
            from coldbench.targets.fc import acs_signer

            return acs_signer(target, signing)
        case SdkHmac():
            from coldbench.targets.huawei import huawei_signer

            return huawei_signer(target)
        case Tc3() as signing:
            from coldbench.targets.tencent import tencent_signer

            return tencent_signer(target, signing)
    fields = request_fields(target)
    return lambda: fields


def signs_each(target: Target) -> bool:
    """Whether a signature serves one request alone: Alibaba Cloud's has a nonce that is taken once."""
    return isinstance(target.signing, Acs3)
