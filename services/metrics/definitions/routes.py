"""HTTP: what the metrics mean."""

from fastapi import APIRouter

from services.metrics.definitions.catalogue import CATALOGUE
from services.metrics.definitions.schemas import DefinitionsView, DefinitionView
from shared.http.problems import describe
from shared.http.security import Reader
from shared.runtime.refusals import NotFound

router = APIRouter(prefix="/v1/metric-definitions", tags=["metrics"])


@router.get("")
async def list_metric_definitions(_by: Reader) -> DefinitionsView:
    """Return every metric with its formula, unit, additivity and what it says when there is nothing to divide by."""
    return DefinitionsView(items=[DefinitionView.of(definition) for definition in CATALOGUE.values()])


@router.get("/{metric_id}", responses=describe(404))
async def get_metric_definition(_by: Reader, metric_id: str) -> DefinitionView:
    """Return what one metric means."""
    definition = CATALOGUE.get(metric_id)
    if definition is None:
        raise NotFound("metric_id: no such metric.")
    return DefinitionView.of(definition)
