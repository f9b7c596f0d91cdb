"""What the S3 gateway says to this server: whether it answers, what time it has, whether it lets us list a data set.

Source: RFC 9110, section 5.6.7 (Date).
"""

from __future__ import annotations

import email.utils
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from strongroom.agent.mounts_wrong import wrong
from strongroom.core import sigv4

_SECONDS = 8.0
# Signatures are good for 15 minutes at most; the control plane's for five.
_CLOCK_TOLERANCE_SECONDS = 300


def check(endpoint: str, region: str, credentials: Mapping[str, Any], repository: str, ca_file: str = "") -> None:
    """Sign one request for the first name in the data set. Raises: Trouble saying what the gateway has against it."""
    target = f"/{repository}?list-type=2&max-keys=1"
    status, body, date = _asked(endpoint, target, _signed(endpoint, region, credentials, target), ca_file)
    _check_clock(date)
    if status == 200:
        return
    said = re.search(rb"<Code>(\w+)</Code>", body)
    code = said[1].decode() if said else f"HTTP {status}"
    if status == 404:
        raise wrong("not-granted", f"The storage has no {repository}.", "It may have been deleted; ask its owner.")
    if status == 403 and code in ("InvalidAccessKeyId", "ExpiredToken", "SignatureDoesNotMatch"):
        raise wrong("no-credentials", f"The storage does not take this server's credentials ({code}).", _LOOK)
    if status == 403:
        raise wrong(
            "not-granted",
            f"The storage does not let this server list {repository} ({code}).",
            "The grant may have ended a moment ago, or not be in force yet: look at `strongroom status`, try again.",
        )
    raise wrong("gateway", f"The S3 gateway {endpoint} answers {code}.", "Ask whoever runs Strongroom.")


def _asked(endpoint: str, target: str, headers: Mapping[str, str], ca_file: str) -> tuple[int, bytes, str]:
    request = urllib.request.Request(endpoint.rstrip("/") + target, headers=dict(headers))  # noqa: S310
    context = ssl.create_default_context(cafile=ca_file or None) if endpoint.startswith("https:") else None
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), *([urllib.request.HTTPSHandler(context=context)] if context else [])
    )
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            return answer.status, answer.read(100_000), answer.headers.get("Date", "")
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read(100_000), answer.headers.get("Date", "")
    except OSError as problem:
        why = getattr(problem, "reason", None) or problem
        raise wrong(
            "gateway",
            f"The S3 gateway {endpoint} cannot be reached: {why}.",
            "Look at the network of this server, and ask whoever runs Strongroom whether the gateway is up.",
        ) from None


def _check_clock(date: str) -> None:
    said = email.utils.parsedate_to_datetime(date).timestamp() if date else time.time()
    offset = said - time.time()
    if abs(offset) >= _CLOCK_TOLERANCE_SECONDS:
        raise wrong(
            "clock",
            f"The clock of this server is {abs(offset):.0f} s {'behind' if offset > 0 else 'ahead'}, so that nothing "
            "it signs is taken.",
            "Set it, and keep it set: timedatectl set-ntp true (or install chrony).",
        )


def _signed(endpoint: str, region: str, credentials: Mapping[str, Any], target: str) -> dict[str, str]:
    path, _, query = target.partition("?")
    return sigv4.signed(
        sigv4.Key(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]),
        *("GET", path, query, {"host": sigv4.host_of(endpoint)}),
        payload_sha256=sigv4.EMPTY_SHA256,
        at=time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        region=region,
    )


_LOOK = "Look at `strongroom status`; root can start the agent anew: systemctl restart strongroom."
