"""Query parameters that a route does not have are refused: a misspelt filter must not look as if it had filtered."""

from collections.abc import Iterator, Mapping

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from shared.http.routes import api_routes


def install_parameters(app: FastAPI) -> None:
    """Note what every operation may be asked with."""
    app.state.query_parameters = {route.name: frozenset(_names(route.dependant)) for route in api_routes(app)}


def refuse_unknown_parameters(request: Request) -> None:
    """Check the query string. Raises RequestValidationError, which names each parameter and those there are."""
    known: Mapping[str, frozenset[str]] = request.app.state.query_parameters
    names = known[request.scope["route"].name]
    unknown = sorted(set(request.query_params) - names)
    if unknown:
        there_are = f"this route has {', '.join(sorted(names))}" if names else "this route has none"
        raise RequestValidationError(
            [{"type": "extra_forbidden", "loc": ("query", name), "msg": f"no such parameter; {there_are}"}
             for name in unknown]
        )  # fmt: skip


def _names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        model = parameter.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (field.alias or name for name, field in model.model_fields.items())
        else:
            yield parameter.alias
    for inner in dependant.dependencies:
        yield from _names(inner)
