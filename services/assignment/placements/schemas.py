"""Bodies of requests that place accounts, and of answers about placements."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import FailFast, Field, TypeAdapter, ValidationError

from services.assignment.placements.commands import PlacedAccounts
from services.assignment.placements.placement import Pair, Placement, RejectedPair, Rejection
from shared.http.bodies import Body, View
from shared.http.principal import MANAGERS, Principal

MAX_ERRORS = 1_000

DETAILS: Mapping[Rejection, str] = MappingProxyType(
    {
        Rejection.UNKNOWN_ACCOUNT: "no account has that id",
        Rejection.UNKNOWN_TERRITORY: "the plan has no such territory",
        Rejection.INNER_TERRITORY: "the plan has territories below it since it was designed; design anew or place by hand",
        Rejection.NAMED_TWICE: "the account stands in the list twice; the first row was taken",
    }
)


class PairBody(Body):
    """An account, and where it is to go."""

    account_id: UUID
    territory_id: UUID


class PlacementsBody(Body):
    """Accounts to be placed. Of rows that are no pair of ids the first is told, and nothing is taken."""

    # Each a PairBody, which is looked at later: see read_pairs.
    placements: list[Any] = Field(min_length=1, json_schema_extra={"items": PairBody.model_json_schema()})


# One problem is enough: as many as the body has room for would be of no use to anybody.
_ROWS = TypeAdapter(Annotated[list[PairBody], FailFast()])
# Checking 200,000 rows at once keeps every other thread waiting for more than a second; a few, for milliseconds.
_AT_ONCE = 1_000


PLACEMENTS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": PlacementsBody.model_json_schema(),
                "example": {
                    "placements": [
                        {
                            "account_id": "0198c5a2-0000-5000-8000-000000000001",
                            "territory_id": "0198c5a2-0000-7000-8000-000000000021",
                        }
                    ]
                },
            }
        },
    }
}


async def read_pairs(body: bytes) -> list[Pair]:
    """Return the pairs of a body. Raises RequestValidationError."""
    # 200,000 pairs take a second of pure work: elsewhere, so that the api goes on answering.
    return await asyncio.to_thread(_read_pairs, body)


def _read_pairs(body: bytes) -> list[Pair]:
    try:
        raw = PlacementsBody.model_validate_json(body).placements
    except ValidationError as error:
        raise _invalid(error) from None
    pairs: list[Pair] = []
    for start in range(0, len(raw), _AT_ONCE):
        try:
            rows = _ROWS.validate_python(raw[start : start + _AT_ONCE])
        except ValidationError as error:
            raise _invalid(error, first=start) from None
        pairs += [Pair(one.account_id, one.territory_id) for one in rows]
    return pairs


def _invalid(error: ValidationError, *, first: int | None = None) -> RequestValidationError:
    """Return the problems as of the whole body; with `first` they are of a part of its rows that begins there."""
    problems: list[dict[str, Any]] = []
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        place = one["loc"] if first is None else ("placements", first + int(one["loc"][0]), *one["loc"][1:])
        problems.append({**one, "loc": ("body", *place)})
    return RequestValidationError(problems)


class PlacementView(View):
    """An account that a plan puts in a territory."""

    account_id: UUID
    territory_id: UUID
    design_run_id: UUID | None = Field(description="The run that proposed it; null: placed by hand.")
    placed_at: datetime = Field(
        description="When it was accepted into the plan, or the one this is a clone of."
    )
    placed_by: str | None = Field(description="Who accepted it. Null for viewers and contributors.")

    @classmethod
    def of(cls, placement: Placement, by: Principal) -> "PlacementView":
        """Show a placement as far as the caller may see it."""
        return cls(
            account_id=placement.account_id,
            territory_id=placement.territory_id,
            design_run_id=placement.design_run_id,
            placed_at=placement.placed_at,
            placed_by=placement.placed_by if by.roles & MANAGERS else None,
        )


class RejectedPairView(View):
    """A pair that was not taken."""

    row: int = Field(description="Its place in the list, counted from 1.")
    account_id: UUID
    territory_id: UUID
    code: Rejection
    detail: str

    @classmethod
    def of(cls, rejected: RejectedPair) -> "RejectedPairView":
        """Show why a pair was not taken."""
        return cls(
            row=rejected.row,
            account_id=rejected.pair.account_id,
            territory_id=rejected.pair.territory_id,
            code=rejected.rejection,
            detail=DETAILS[rejected.rejection],
        )


class PlacementReportView(View):
    """What became of the pairs: received = added + replaced + unchanged + rejected."""

    received: int
    added: int = Field(description="Accounts that the draft did not place before.")
    replaced: int = Field(description="Accounts that it placed elsewhere, or by another design run.")
    unchanged: int
    rejected: int
    pinned: int = Field(
        description="Of those taken, accounts that a pin of the draft holds elsewhere: it comes first."
    )
    errors: list[RejectedPairView] = Field(description=f"The first {MAX_ERRORS:,} rejected pairs.")

    @classmethod
    def of(cls, placed: PlacedAccounts) -> "PlacementReportView":
        """Show a report."""
        rejected = len(placed.rejected)
        return cls(
            received=placed.added + placed.replaced + placed.unchanged + rejected,
            added=placed.added,
            replaced=placed.replaced,
            unchanged=placed.unchanged,
            rejected=rejected,
            pinned=placed.pinned,
            errors=[RejectedPairView.of(one) for one in placed.rejected[:MAX_ERRORS]],
        )
