"""Signatures of deliveries: who signed, when, and nothing a stranger could bend."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.crm.webhooks.sealing import Seal, Unsealable
from services.assignment.crm.webhooks.signature import Delivered, is_genuine, sign, sign_hubspot

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SECONDS, MILLISECONDS = str(int(NOW.timestamp())), str(int(NOW.timestamp() * 1000))
SECRET = b"0123456789abcdef"
URL = "https://crm.example/v1/webhooks/hubspot?kind=company%3Anew"


def _ours(body: bytes, *, timestamp: str = SECONDS, secret: bytes = SECRET) -> Delivered:
    headers = {"x-bailiwick-timestamp": timestamp, "x-bailiwick-signature": sign(secret, timestamp, body)}
    return Delivered("POST", URL, headers, body)


def _hubspot(body: bytes, *, timestamp: str = MILLISECONDS, url: str = URL) -> Delivered:
    signature = sign_hubspot(SECRET, Delivered("POST", url, {}, body), timestamp)
    headers = {"x-hubspot-request-timestamp": timestamp, "x-hubspot-signature-v3": signature}
    return Delivered("POST", URL, headers, body)


def test_both_forms_have_known_values():
    """Computed with openssl: HMAC over "<seconds>.<body>", and over POST + URL (decoded) + body + milliseconds."""
    assert (
        sign(SECRET, "1764000000", b"{}")
        == "7d30677170eef90881d27d4ed43c2fbd6dc9b8344fa6abe28751fe26722a3342"
    )
    told = sign_hubspot(SECRET, Delivered("POST", URL, {}, b"[]"), "1764000000000")
    assert told == "mGnXoQjom9pEPW8Ot040OxracaONy/fTsWQFj7lnJNc="


@pytest.mark.parametrize("make", [_ours, _hubspot])
def test_a_fresh_signature_is_genuine_under_either_secret(make):
    delivered = make(b"[1]")
    assert is_genuine(delivered, [SECRET], now=NOW)
    assert is_genuine(delivered, [b"another secret!!", SECRET], now=NOW)
    assert not is_genuine(delivered, [b"another secret!!"], now=NOW)
    assert not is_genuine(delivered, [], now=NOW)


@pytest.mark.parametrize("make", [_ours, _hubspot])
def test_five_minutes_to_either_side(make):
    delivered = make(b"[1]")
    for seconds, genuine in ((-301, False), (-300, True), (300, True), (301, False)):
        assert is_genuine(delivered, [SECRET], now=NOW + timedelta(seconds=seconds)) is genuine


def test_hubspot_signs_its_url():
    assert not is_genuine(_hubspot(b"[1]", url="https://elsewhere.example/"), [SECRET], now=NOW)


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1e9", "١٢٣", "9" * 15, " 1", "1\n"])
def test_an_odd_timestamp_is_no_signature(timestamp):
    assert not is_genuine(_ours(b"{}", timestamp=timestamp), [SECRET], now=NOW)


@given(
    body=st.binary(max_size=50),
    signature=st.text(max_size=80),
    name=st.sampled_from(["x-bailiwick-signature", "x-hubspot-signature-v3"]),
)
def test_made_up_signatures_never_hold(body: bytes, signature: str, name: str):
    stamps = {"x-bailiwick-timestamp": SECONDS, "x-hubspot-request-timestamp": MILLISECONDS}
    assert not is_genuine(Delivered("POST", URL, {name: signature, **stamps}, body), [SECRET], now=NOW)


def test_secrets_are_sealed_for_their_place():
    seal = Seal("a key")
    sealed = seal.close(SECRET, about="hubspot")
    assert SECRET not in sealed
    assert sealed != seal.close(SECRET, about="hubspot")
    assert seal.open(sealed, about="hubspot") == SECRET
    for other, about in ((Seal("another"), "hubspot"), (seal, "salesforce")):
        with pytest.raises(Unsealable):
            other.open(sealed, about=about)
