"""Health and metrics of an api process. Kafka is no part of it: the api answers while the broker is away."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.db.engine import answering
from shared.http.problems import describe, problem_response
from shared.http.security import PUBLIC
from shared.runtime.probes import failing

router = APIRouter(tags=["operations"], dependencies=[PUBLIC])


@router.get("/health/live")
async def live() -> Mapping[str, str]:
    """Tell that the process answers at all."""
    return {"status": "live"}


@router.get("/health/ready", responses=describe(503))
async def ready(request: Request) -> Response:
    """Tell whether the process can serve: it is not stopping, and the database answers."""
    found = await failing({"database": answering(request.app.state.parts.engine)})
    if getattr(request.app.state, "stopping", False):
        found["process"] = "stopping"
    if found:
        return problem_response(
            503, "not-ready", "; ".join(f"{k}: {v}" for k, v in found.items()), checks=found
        )
    return Response('{"status":"ready"}', media_type="application/json")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics() -> Response:
    """Return this process's figures for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
