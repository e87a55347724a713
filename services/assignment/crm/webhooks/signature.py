"""Verifies who sent a delivery and when: HMAC-SHA256 in Bailiwick's own form and in HubSpot's v3.

Bailiwick: hex of HMAC(secret, "<unix seconds>.<body>"). HubSpot: base64 of HMAC(secret, method + URL + body +
milliseconds), https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
"""

import base64
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

SIGNATURE, TIMESTAMP = "x-bailiwick-signature", "x-bailiwick-timestamp"
HUBSPOT_SIGNATURE, HUBSPOT_TIMESTAMP = "x-hubspot-signature-v3", "x-hubspot-request-timestamp"
WINDOW = timedelta(minutes=5)

_NUMBER = re.compile(r"[0-9]{1,14}")
# HubSpot signs these decoded, and no others.
_DECODED = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
_ESCAPES = re.compile("|".join(_DECODED), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A request as it came: header names in lower case, the body byte for byte."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def is_genuine(delivered: Delivered, secrets: Iterable[bytes], *, now: datetime) -> bool:
    """Tell whether one of the secrets signed this request within the window."""
    if HUBSPOT_SIGNATURE in delivered.headers:
        return _is_genuine_hubspot(delivered, secrets, now)
    return _is_genuine_bailiwick(delivered, secrets, now)


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return Bailiwick's signature of a body."""
    return hmac.digest(secret, timestamp.encode() + b"." + body, "sha256").hex()


def sign_hubspot(secret: bytes, delivered: Delivered, timestamp: str) -> str:
    """Return HubSpot's signature, version 3."""
    url = _ESCAPES.sub(lambda escape: _DECODED[escape.group().upper()], delivered.url)
    told = delivered.method.encode() + url.encode() + delivered.body + timestamp.encode()
    return base64.b64encode(hmac.digest(secret, told, "sha256")).decode()


def _is_genuine_bailiwick(delivered: Delivered, secrets: Iterable[bytes], now: datetime) -> bool:
    timestamp = delivered.headers.get(TIMESTAMP, "")
    if not _is_fresh(timestamp, 1, now):
        return False
    expected = (sign(secret, timestamp, delivered.body) for secret in secrets)
    return _is_one_of(delivered.headers.get(SIGNATURE, ""), expected)


def _is_genuine_hubspot(delivered: Delivered, secrets: Iterable[bytes], now: datetime) -> bool:
    timestamp = delivered.headers.get(HUBSPOT_TIMESTAMP, "")
    if not _is_fresh(timestamp, 1_000, now):
        return False
    expected = (sign_hubspot(secret, delivered, timestamp) for secret in secrets)
    return _is_one_of(delivered.headers[HUBSPOT_SIGNATURE], expected)


def _is_fresh(timestamp: str, per_second: int, now: datetime) -> bool:
    if not _NUMBER.fullmatch(timestamp):
        return False
    return abs(now.timestamp() - int(timestamp) / per_second) <= WINDOW.total_seconds()


def _is_one_of(given: str, expected: Iterable[str]) -> bool:
    # Every secret is tried, each in constant time: how long it takes tells nothing about any of them.
    told = given.encode("utf-8", "surrogateescape")
    found = False
    for one in expected:
        found |= hmac.compare_digest(told, one.encode())
    return found
