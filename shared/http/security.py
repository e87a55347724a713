"""The policy of a route: who may call it. A route without one keeps the service from starting."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from shared.http.parameters import refuse_unknown_parameters
from shared.http.principal import ADMINS, MANAGERS, READERS, WRITERS, Principal, Role
from shared.http.routes import api_routes, dependencies_of
from shared.http.tokens import TokenRefused, Tokens
from shared.runtime.logging import get_logger
from shared.runtime.refusals import Refusal

log = get_logger(__name__)
_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="An access token of your OIDC provider."
)


class Unauthenticated(Refusal):
    """No token, or one that does not verify."""


class Forbidden(Refusal):
    """The caller's roles do not allow this route."""


class OutsideScope(Refusal):
    """The command is for callers whose scope is the whole organisation."""


class RouteWithoutPolicy(RuntimeError):
    """A route was added that nobody decided on."""


class Allow:
    """A dependency that verifies the caller and checks their roles. Give it the roles that may call."""

    def __init__(self, roles: frozenset[Role], *, whole_organisation: bool = False) -> None:
        self.roles = roles
        self.whole_organisation = whole_organisation

    async def __call__(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Principal:
        """Return the caller. Raises Unauthenticated, Forbidden, OutsideScope or RequestValidationError."""
        if credentials is None:
            raise Unauthenticated("Send a bearer token in the Authorization header.")
        tokens: Tokens = request.app.state.parts.tokens
        try:
            principal = await tokens.verify(credentials.credentials)
        except TokenRefused as reason:
            log.info("token refused", reason=str(reason))
            raise Unauthenticated("The bearer token is not valid here.") from None
        self._authorise(principal, request)
        refuse_unknown_parameters(request)
        return principal

    def _authorise(self, principal: Principal, request: Request) -> None:
        if not principal.roles & self.roles:
            log.info("denied", subject=principal.subject, path=request.url.path)
            needed = ", ".join(sorted(self.roles))
            raise Forbidden(f"This needs one of the roles: {needed}.")
        if self.whole_organisation and not principal.scope.everything:
            log.info("denied by scope", subject=principal.subject, path=request.url.path)
            raise OutsideScope("This needs a token for the whole organisation, not for single territories.")


class Public:
    """The policy of a route that anyone may call."""

    def __call__(self, request: Request) -> None:
        """Let everyone in. Raises RequestValidationError."""
        refuse_unknown_parameters(request)


PUBLIC = Depends(Public())


def require_policies(app: FastAPI) -> None:
    """Check that somebody decided for every route who may call it. Raises RouteWithoutPolicy."""
    for route in api_routes(app):
        if not any(isinstance(call, Allow | Public) for call in dependencies_of(route)):
            raise RouteWithoutPolicy(
                f"{route.methods} {route.path} declares no policy: add Allow(...) or PUBLIC"
            )


# Put the caller first among a route's parameters: FastAPI resolves in order, and who asks comes before what.
Reader = Annotated[Principal, Depends(Allow(READERS))]
Writer = Annotated[Principal, Depends(Allow(WRITERS))]
Manager = Annotated[Principal, Depends(Allow(MANAGERS))]
Planner = Annotated[Principal, Depends(Allow(MANAGERS, whole_organisation=True))]
Admin = Annotated[Principal, Depends(Allow(ADMINS, whole_organisation=True))]
