"""HTTP: how far this service has read, and what waits."""

from fastapi import APIRouter

from services.metrics.freshness.queries import find_freshness
from services.metrics.freshness.schemas import FreshnessView
from shared.http.commands import Snapshot
from shared.http.security import Reader

router = APIRouter(prefix="/v1/freshness", tags=["operations"])


@router.get("")
async def get_freshness(by: Reader, read: Snapshot) -> FreshnessView:  # noqa: ARG001 - any reader may ask
    """Return what was read of each topic, and how much is waiting to be mended or published."""
    return FreshnessView.model_validate(await find_freshness(read))
