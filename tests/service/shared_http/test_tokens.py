"""Forged, stale and foreign tokens: every one is 401, and none of them a 500."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.http.keys import Keys
from shared.testing.tokens import Issuer
from tests.service.shared_http.conftest import Toy

Forgery = Callable[[Issuer], str]
NOW = int(time.time())


def _part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _claims(issuer: Issuer, **overrides: Any) -> dict[str, Any]:
    return issuer.claims("admin", **overrides)


def _header(**overrides: Any) -> Forgery:
    return lambda issuer: issuer.sign(_claims(issuer), overrides)


def _with(**overrides: Any) -> Forgery:
    return lambda issuer: issuer.token("admin", **overrides)


def _unsigned(issuer: Issuer) -> str:
    return f"{_part({'alg': 'none', 'typ': 'at+jwt', 'kid': issuer.key_id})}.{_part(_claims(issuer))}."


def _hmac_with_the_public_key(issuer: Issuer) -> str:
    pem = issuer.private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = f"{_part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': issuer.key_id})}.{_part(_claims(issuer))}"
    return f"{signed}.{_part(hmac.new(pem, signed.encode(), hashlib.sha256).digest())}"


def _another_key_under_a_known_id(issuer: Issuer) -> str:
    return Issuer(key_id=issuer.key_id).token("admin")


def _own_key_in_the_header(issuer: Issuer) -> str:
    stranger = Issuer()
    return stranger.sign(_claims(issuer), {"kid": "stranger", "jwk": stranger.jwks()["keys"][0]})


def _another_algorithm_under_a_known_id(issuer: Issuer) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    headers = {"typ": "at+jwt", "kid": issuer.key_id}
    return jwt.encode(_claims(issuer), key, algorithm="RS256", headers=headers)


def _changed_claims(issuer: Issuer) -> str:
    header, _, signature = issuer.token("viewer").split(".")
    return f"{header}.{_part(_claims(issuer))}.{signature}"


def _no_signature(issuer: Issuer) -> str:
    return issuer.token("admin").rpartition(".")[0] + "."


def _claims_that_are_no_object(issuer: Issuer) -> str:
    return jwt.api_jws.encode(
        b'["admin"]',
        issuer.private_key,
        algorithm="EdDSA",
        headers={"typ": "at+jwt", "kid": issuer.key_id},
    )


def _critical(issuer: Issuer) -> str:
    return issuer.sign(_claims(issuer), {"crit": ["b64"], "b64": True})


FORGERIES: dict[str, Forgery] = {
    "unsigned": _unsigned,
    "no signature": _no_signature,
    "hmac with the public key": _hmac_with_the_public_key,
    "another key under a known id": _another_key_under_a_known_id,
    "another algorithm under a known id": _another_algorithm_under_a_known_id,
    "own key in the header": _own_key_in_the_header,
    "a key set url in the header": _header(jku="https://evil.invalid/jwks", kid="stranger"),
    "a certificate url in the header": _header(x5u="https://evil.invalid/cert", kid="stranger"),
    "unknown key id": _header(kid="stranger"),
    "a path as key id": _header(kid="../../../../dev/null"),
    "sql as key id": _header(kid="' OR 1=1 --"),
    "a huge key id": _header(kid="k" * 5000),
    "critical extension": _critical,
    "id token": _header(typ="JWT"),
    "logout token": _header(typ="logout+jwt"),
    "changed claims": _changed_claims,
    "claims that are no object": _claims_that_are_no_object,
    "another issuer": _with(iss="https://issuer.example/"),
    "issuer with a trailing slash": lambda issuer: issuer.token("admin", iss=issuer.issuer + "/"),
    "no issuer": _with(iss=None),
    "another audience": _with(aud="payroll"),
    "audience as a substring": _with(aud="bailiwick-staging"),
    "no audience": _with(aud=None),
    "expired": _with(exp=NOW - 120),
    "no expiry": _with(exp=None),
    "expiry in words": _with(exp="tomorrow"),
    "endless expiry": _with(exp=float("inf")),
    "not valid yet": _with(nbf=NOW + 600),
    "issued in the future": _with(iat=NOW + 600),
    "no issue time": _with(iat=None),
    "no subject": _with(sub=None),
    "empty subject": _with(sub=""),
    "subject that is a number": _with(sub=7),
    "huge subject": _with(sub="s" * 300),
    "subject with a NUL": _with(sub="a\x00b"),
    "subject with a lone surrogate": _with(sub="\ud800"),
    "another organisation": _with(org="competitor"),
    "territory that is no id": _with(territories=["everything"]),
    "territory that is a number": _with(territories=[7]),
    "oversized": _with(padding="x" * 9000),
    "empty": lambda _: "",
    "one dot": lambda _: ".",
    "not a token": lambda _: "a.b.c",
    "five parts": lambda _: "a.b.c.d.e",
    "not base64": lambda _: "é.é.é",
    "deep json": lambda _: f"{_part(b'[' * 3000)}.{_part({})}.x",
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_token_is_refused(toy: Toy, name: str):
    token = FORGERIES[name](toy.issuer)
    headers = {"authorization": f"Bearer {token}".encode()}
    answer = await toy.http.get("/v1/things", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "bearer", "Token x"])
async def test_without_a_bearer_token_there_is_no_caller(toy: Toy, header: str | None):
    headers = {} if header is None else {"authorization": header}
    answer = await toy.http.get("/v1/things", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"aud": ["payroll", "bailiwick"]},
        {"org": "demo"},
        {"nbf": None},
        {"sub": "auth0|59f3a"},
    ],
)
async def test_a_good_token_is_accepted(toy: Toy, good: dict[str, Any]):
    headers = {"authorization": f"Bearer {toy.issuer.token('viewer', **good)}"}
    assert (await toy.http.get("/v1/things", headers=headers)).status_code == 200


async def test_seconds_of_clock_difference_are_forgiven(toy: Toy):
    now = int(time.time())
    for claims in ({"exp": now - 5}, {"nbf": now + 5, "iat": now + 5}):
        headers = {"authorization": f"Bearer {toy.issuer.token('viewer', **claims)}"}
        assert (await toy.http.get("/v1/things", headers=headers)).status_code == 200


async def test_the_media_type_may_be_written_out(toy: Toy):
    token = toy.issuer.sign(toy.issuer.claims("viewer"), {"typ": "application/at+JWT"})
    headers = {"authorization": f"bearer {token}"}
    assert (await toy.http.get("/v1/things", headers=headers)).status_code == 200


async def test_refusals_tell_the_caller_nothing_about_the_reason(toy: Toy):
    details = {
        (
            await toy.http.get(
                "/v1/things", headers={"authorization": f"Bearer {FORGERIES[name](toy.issuer)}"}
            )
        ).json()["detail"]
        for name in ("expired", "unknown key id", "another issuer", "changed claims")
    }
    assert len(details) == 1


def _write(path: str, keys: list[dict[str, Any]]) -> None:
    _write_text(path, json.dumps({"keys": keys}))


def _write_text(path: str, document: str) -> None:
    Path(path).write_text(document)


def _let_time_pass(keys: Keys) -> None:
    """Make the keys so old that they are read again before they serve."""
    keys._asked_at = keys._trusted_until = float("-inf")


async def test_a_rotated_key_is_found_and_a_retired_one_is_forgotten(toy: Toy):
    """A key that the issuer withdrew must stop working, even while nobody asks for a new one."""
    keys = toy.app.state.parts.tokens._keys
    old = toy.issuer
    new = Issuer(key_id="new-key")
    assert (await toy.http.get("/v1/things", headers=old.headers("viewer"))).status_code == 200
    _write(keys._location, new.jwks()["keys"])
    _let_time_pass(keys)
    assert (await toy.http.get("/v1/things", headers=new.headers("viewer"))).status_code == 200
    assert (await toy.http.get("/v1/things", headers=old.headers("viewer"))).status_code == 401


async def test_a_withdrawn_key_stops_working_without_any_new_key(toy: Toy):
    keys = toy.app.state.parts.tokens._keys
    assert (await toy.http.get("/v1/things", headers=toy.as_("viewer"))).status_code == 200
    _write(keys._location, [])
    _let_time_pass(keys)
    assert (await toy.http.get("/v1/things", headers=toy.as_("viewer"))).status_code == 401


async def test_an_unreadable_key_set_leaves_the_known_keys_in_use(toy: Toy):
    keys = toy.app.state.parts.tokens._keys
    assert (await toy.http.get("/v1/things", headers=toy.as_("viewer"))).status_code == 200
    for broken in ("", "[]", '{"keys": 5}', '{"keys": [5]}', "{"):
        _write_text(keys._location, broken)
        _let_time_pass(keys)
        stranger = {"authorization": f"Bearer {_header(kid='stranger')(toy.issuer)}"}
        assert (await toy.http.get("/v1/things", headers=stranger)).status_code == 401
        assert (await toy.http.get("/v1/things", headers=toy.as_("viewer"))).status_code == 200


async def test_one_bad_key_does_not_cost_the_others(toy: Toy):
    keys = toy.app.state.parts.tokens._keys
    bad = {"kid": "bad", "kty": "EC", "crv": "P-999", "x": "", "y": ""}
    secret = {"kid": "hmac", "kty": "oct", "k": _part(b"s" * 32), "alg": "HS256"}
    _write(keys._location, [bad, secret, *toy.issuer.jwks()["keys"]])
    assert (await toy.http.get("/v1/things", headers=toy.as_("viewer"))).status_code == 200
    forged = jwt.encode(
        _claims(toy.issuer), b"s" * 32, algorithm="HS256", headers={"typ": "at+jwt", "kid": "hmac"}
    )
    answer = await toy.http.get("/v1/things", headers={"authorization": f"Bearer {forged}"})
    assert answer.status_code == 401


async def test_unknown_key_ids_do_not_make_us_hammer_the_issuer(toy: Toy):
    keys = toy.app.state.parts.tokens._keys
    reads = 0
    read = keys._fetch

    async def counted() -> str:
        nonlocal reads
        reads += 1
        return await read()

    keys._fetch = counted
    for n in range(20):
        stranger = toy.issuer.sign(_claims(toy.issuer), {"kid": f"stranger-{n}"})
        await toy.http.get("/v1/things", headers={"authorization": f"Bearer {stranger}"})
    assert reads == 1


async def test_a_key_that_is_not_for_signing_is_not_used(toy: Toy):
    keys = toy.app.state.parts.tokens._keys
    _write(keys._location, [{**toy.issuer.jwks()["keys"][0], "use": "enc"}])
    assert (await toy.http.get("/v1/things", headers=toy.as_("viewer"))).status_code == 401


async def test_a_private_key_of_another_kind_signs_nothing_here(toy: Toy):
    stranger = Ed25519PrivateKey.generate()
    token = jwt.encode(
        _claims(toy.issuer), stranger, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": toy.issuer.key_id}
    )
    answer = await toy.http.get("/v1/things", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_before_the_first_key_was_read_nobody_is_turned_away_as_wrong(toy: Toy):
    """A provider that is down at start makes the caller wait; a 401 would send them to log in again."""
    toy.app.state.parts.tokens._keys._location = "/nowhere/jwks.json"
    answer = await toy.http.get("/v1/things", headers=toy.as_("viewer"))
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer-unreachable")
