"""The frame of every api: middleware, problems, health, policies, audit, an OpenAPI document that tells the truth."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse
from fastapi.routing import RouteContext

from shared.contracts.asyncapi import describe_events
from shared.http import etags, health, idempotency, pagination, security, tokens
from shared.http.audit import routes as audit
from shared.http.events_page import render_events_page
from shared.http.middleware import BodyLimit, RequestContext
from shared.http.parameters import install_parameters
from shared.http.parts import Parts
from shared.http.problems import Problem, RefusalTable, describe, install_problem_handlers
from shared.http.routes import api_routes, dependencies_of, operation_id
from shared.http.security import PUBLIC, Allow, require_policies

COMMON_REFUSALS: RefusalTable = {
    security.Unauthenticated: 401,
    tokens.IssuerUnreachable: 503,
    security.Forbidden: 403,
    security.OutsideScope: 403,
    pagination.InvalidCursor: 400,
    idempotency.InvalidIdempotencyKey: 400,
    idempotency.IdempotencyKeyReused: 422,
    idempotency.RequestInFlight: 409,
    etags.PreconditionRequired: 428,
}


def create_service_app(
    parts: Parts,
    *,
    title: str,
    description: str,
    routers: Sequence[APIRouter],
    refusals: RefusalTable,
    larger_bodies: Mapping[str, int] | None = None,
) -> FastAPI:
    """Assemble an api. `larger_bodies` maps paths to a body limit in bytes of their own; `{name}` is any one segment."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await parts.engine.dispose()

    app = FastAPI(
        title=title,
        description=description,
        version="1",
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    app.state.parts = parts
    install_problem_handlers(app, {**COMMON_REFUSALS, **refusals})
    events = _events_router(describe_events(parts.service, title=title))
    for router in [health.router, events, *routers, audit.router]:
        app.include_router(router)
    app.add_middleware(BodyLimit, limit=parts.max_body_bytes, larger=larger_bodies or {})
    app.add_middleware(RequestContext)
    require_policies(app)
    install_parameters(app)
    _describe_problems(app)
    return app


def _events_router(document: dict[str, Any]) -> APIRouter:
    router = APIRouter(tags=["operations"], dependencies=[PUBLIC])

    @router.get("/asyncapi.json")
    async def events() -> dict[str, Any]:
        """Return the AsyncAPI document: what this service sends to Kafka and what it receives."""
        return document

    page = render_events_page(document)

    @router.get("/asyncapi", response_class=HTMLResponse)
    async def events_page() -> str:
        """Return the same as a page to read: it needs no network but this service."""
        return page

    return router


def _describe_problems(app: FastAPI) -> None:
    """Add to every operation the problems that its shape implies, on top of those its route declares."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = build()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs", {}))
            schemas["Problem"] = problem
            for route in api_routes(app):
                if route.include_in_schema:
                    _describe_route(document["paths"][route.path_format], route)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _describe_route(path: dict[str, Any], route: RouteContext) -> None:
    for method in route.methods or ():
        operation = path[method.lower()]
        operation["responses"].pop("422", None)
        statuses = _implied(operation, route)
        declared = {str(status): spec for status, spec in describe(*sorted(statuses)).items()}
        operation["responses"] = {**declared, **operation["responses"]}


def _implied(operation: dict[str, Any], route: RouteContext) -> set[int]:
    found = {500, 503}
    calls = list(dependencies_of(route))
    if any(isinstance(call, Allow) for call in calls):
        found |= {401, 403}
    if etags.expected_version in calls:
        found |= {412, 428}
    if etags.version_if_sent in calls:
        found |= {412}
    names = {parameter["name"].lower(): parameter["in"] for parameter in operation.get("parameters", [])}
    if names or "requestBody" in operation:
        found |= {422}
    if "requestBody" in operation:
        found |= {400, 413, 415}
    if "cursor" in names:
        found |= {400}
    # A list may be narrowed to what lies outside the caller's scope, or is not there.
    if "path" in names.values() or names.keys() & {"territory_id", "plan_id"}:
        found |= {404}
    if "idempotency-key" in names:
        found |= {400, 409}
    return found
