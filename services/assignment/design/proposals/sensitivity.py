"""What one rep more or fewer would do, as it is kept beside a proposal and shown."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from pydantic_core import to_jsonable_python

from services.assignment.design.sensitivity import RepChange, Sensitivity
from shared.http.bodies import View


class RepChangeView(View):
    """What one rep more, or fewer, would do; lists are by measure of the scenario."""

    territory_id: UUID | None = Field(description="Whose loss costs least; null for a rep more.")
    capacity: float | None = Field(
        default=None,
        description="Of who comes or goes, in full-time reps: 1, or what is nearest to it; null for older proposals.",
    )
    touched_territory_ids: list[UUID] = Field(
        description="Territories of the proposal that would gain or lose accounts."
    )
    latitude: float = Field(description="Of the middle of the territory that comes or goes.")
    longitude: float
    moved_accounts: int = Field(description="Accounts of the proposal that would go to another territory.")
    mean_km_before: float = Field(
        description="Mean distance of accounts from the middle of their territory, as of the proposal."
    )
    mean_km_after: float
    deviation_before: list[float] = Field(
        description="Of the load that is furthest from its target, as a share of it."
    )
    deviation_after: list[float] = Field(description="Targets are shared out anew, the change included.")
    load_per_rep_before: list[float] = Field(description="What a full-time rep carries.")
    load_per_rep_after: list[float]
    within_tolerance: bool = Field(
        description="All measures but soft ones keep to their tolerance afterwards."
    )


class SensitivityView(View):
    """What one full-time rep more or fewer would do to a proposal; found near the change, all else stays as proposed."""

    one_more: RepChangeView | None = Field(
        description="Null where no accounts could go to one more, or it could not be worked out in time."
    )
    one_fewer: RepChangeView | None = Field(
        description="Of the territories whose capacity is about one full-time rep (or, without any, nearest to it). Null where "
        "there is one territory alone, sizes leave the others no room for its accounts, or it could not be worked out in time."
    )


KeptSensitivity = Annotated[
    SensitivityView | None,
    Field(
        description="Null where the time budget left no time for it, and for older proposals. Of the engine's plan, whatever was moved by hand."
    ),
]


def sensitivity_shown(kept: Mapping[str, Any] | None) -> SensitivityView | None:
    """Return what was kept, as it is shown."""
    return None if kept is None else SensitivityView.model_validate(kept)


def sensitivity_told(found: Sensitivity | None, ids: Sequence[UUID]) -> str | None:
    """Return what is kept, as JSON under the territories' ids; None where nothing is known.

    Raises ValueError for a figure that is no number: the database has no JSON for it.
    """
    if found is None:
        return None
    told = {"one_more": _told(found.one_more, ids), "one_fewer": _told(found.one_fewer, ids)}
    return json.dumps(to_jsonable_python(told), allow_nan=False)


def _told(change: RepChange | None, ids: Sequence[UUID]) -> dict[str, Any] | None:
    if change is None:
        return None
    return {
        "territory_id": None if change.leaves is None else ids[change.leaves],
        "capacity": change.capacity,
        "touched_territory_ids": [ids[one] for one in change.touched],
        "latitude": change.latitude,
        "longitude": change.longitude,
        "moved_accounts": change.moved,
        "mean_km_before": change.mean_km_before,
        "mean_km_after": change.mean_km_after,
        "deviation_before": change.deviation_before,
        "deviation_after": change.deviation_after,
        "load_per_rep_before": change.load_per_rep_before,
        "load_per_rep_after": change.load_per_rep_after,
        "within_tolerance": change.within_tolerance,
    }
