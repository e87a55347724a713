"""Tokens of the development issuer are what the services accept, and only on a laptop."""

import stat
from uuid import UUID

import pytest

from deploy.local.issuer import AUDIENCE, DevelopmentIssuer, claims_of
from deploy.local.trouble import Trouble
from shared.http.keys import Keys
from shared.http.principal import Role
from shared.http.tokens import TokenRefused, Tokens
from shared.runtime.production import DEVELOPMENT_ISSUER

TERRITORY = "0191a0c2-7c11-7000-8000-000000000001"


@pytest.fixture
def issuer(tmp_path):
    return DevelopmentIssuer(tmp_path, {})


async def verify(issuer, token):
    keys = Keys(str(issuer.jwks), development=True)
    tokens = Tokens(keys, issuer=DEVELOPMENT_ISSUER, audience=AUDIENCE, organisation="demo")
    return await tokens.verify(token)


async def test_a_service_accepts_the_token_of_a_role(issuer):
    principal = await verify(issuer, issuer.token(role="manager", subject="somebody"))

    assert principal.subject == "somebody"
    assert principal.roles == {Role.MANAGER}
    assert principal.scope.everything


async def test_a_scope_limits_the_token_to_subtrees(issuer):
    principal = await verify(issuer, issuer.token(role="viewer", scope=TERRITORY))

    assert not principal.scope.everything
    assert principal.scope.roots == (UUID(TERRITORY),)


async def test_a_second_start_keeps_the_keys(issuer, tmp_path):
    """Tokens outlive a restart."""
    token = issuer.token(role="viewer")
    again = DevelopmentIssuer(tmp_path, {})
    again.ensure_keys()

    assert (await verify(again, token)).roles == {Role.VIEWER}


async def test_a_service_in_production_does_not_know_its_keys(issuer):
    """Wherever the key set was copied to, and whatever issuer the service was told."""
    token = issuer.token(role="admin")
    copied = issuer.jwks.with_name("our-provider.json")
    copied.write_text(issuer.jwks.read_text())
    tokens = Tokens(
        Keys(str(copied)), issuer=DEVELOPMENT_ISSUER, audience=AUDIENCE, organisation="an organisation"
    )

    with pytest.raises(TokenRefused, match="unknown key id"):
        await tokens.verify(token)


def test_only_the_owner_may_read_the_private_key(issuer):
    issuer.ensure_keys()

    assert stat.S_IMODE(issuer.private_key.stat().st_mode) == 0o600


def test_the_issuer_refuses_production(tmp_path):
    with pytest.raises(Trouble, match="does not work in production"):
        DevelopmentIssuer(tmp_path, {"ENVIRONMENT": "production"})


def test_an_unknown_role_is_refused():
    with pytest.raises(Trouble, match="ROLE=boss is no role"):
        claims_of(roles=["boss"], scope="*", subject="somebody", now=0)


def test_a_scope_that_is_no_id_is_refused():
    with pytest.raises(Trouble, match="SCOPE=north is no territory id"):
        claims_of(roles=["viewer"], scope="north", subject="somebody", now=0)
