"""Walking an app's operations, those of included routers too."""

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts


def api_routes(app: FastAPI) -> Iterator[RouteContext]:
    """Walk the app's own operations."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            yield context


def dependencies_of(route: RouteContext) -> Iterator[object]:
    """Walk the callables a route depends on, however deep."""
    pending: list[Dependant] = [route.dependant]
    while pending:
        dependant = pending.pop()
        yield dependant.call
        pending.extend(dependant.dependencies)


def operation_id(route: APIRoute) -> str:
    """Return the name of an operation, in the OpenAPI document and wherever else one is named."""
    return route.name.replace("_", "-")


def methods_at(app: FastAPI, path: str) -> set[str]:
    """Return the methods of the operations that share the first path template to fit, as routing does."""
    routes = list(api_routes(app))
    template = next((route.path for route in routes if route.path_regex.match(path)), None)
    return {method for route in routes if route.path == template for method in route.methods or ()}
