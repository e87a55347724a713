"""What a caller says who asks for a run, checked field by field and as a whole."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from pydantic import Field, ValidationInfo, field_validator

from services.assignment.design.runs.limits import (
    Barriers,
    Families,
    FamilyBody,
    ForbiddenBody,
    Forbiddens,
    LineStringBody,
    SizesBody,
    check_families,
    check_forbidden,
    check_vertices,
)
from services.assignment.design.runs.measures import Currency, MeasureBody, currency_of_revenue
from services.assignment.design.runs.roads import RoadFactorsBody
from services.assignment.design.runs.run import (
    BalancedMeasure,
    Counted,
    Disruption,
    KeepTogether,
    Mode,
    Requirement,
    Scenario,
)
from shared.http.bodies import Body, Name

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

# As many as a tree may have territories.
_MOST_TERRITORIES = 5_000
# What a move costs when nothing is said of it.
_STAYS = {Mode.GREENFIELD: 0.0, Mode.REALIGN: 0.5, Mode.WHAT_IF: 1.0}


class DisruptionBody(Body):
    """What moves cost, and how much may move at most."""

    stay: float = Field(
        default=0,
        ge=0,
        le=1000,
        allow_inf_nan=False,
        description="What a move costs, in travel of a mean account; 0 without a limit begins from scratch, as greenfield does.",
    )
    most_moved: Share = Field(
        default=1,
        description="The largest share, of the accounts that belong somewhere today, that may move.",
    )
    counted: Counted = Field(
        default=Counted.ACCOUNTS, description="What is counted: accounts, or their revenue."
    )
    currency: Currency | None = Field(default=None, validate_default=True, description="Of the revenue.")

    _of_revenue = field_validator("currency")(currency_of_revenue)


class CapacityBody(Body):
    """What a territory can carry, in full-time reps: 0.5 for half-time, or for somebody who is new."""

    territory_id: UUID
    capacity: float = Field(ge=0.01, le=1000, allow_inf_nan=False)


class HomeBody(Body):
    """Where the rep of a territory lives."""

    territory_id: UUID
    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)


Told = TypeVar("Told", CapacityBody, HomeBody)


class DesignRunBody(Body):
    """What to design: a scenario of a draft."""

    name: Name | None = Field(default=None, description="What the scenario is called, once per plan.")
    mode: Mode = Field(
        description=(
            "greenfield: from scratch, under today's names so that as little as possible moves; realign: from the "
            "alignments that are live; what_if: from them, and only around what the draft changes: leaves that have no "
            "account today get some, accounts whose territory is gone get another; all else stays."
        )
    )
    territory_ids: list[UUID] | None = Field(
        default=None,
        min_length=1,
        max_length=_MOST_TERRITORIES,
        description="Geographic leaves of the draft; all of them when left out.",
    )
    measures: list[MeasureBody] = Field(min_length=1, max_length=8)
    targets: Literal["capacity", "equal"] = Field(
        default="capacity",
        description=(
            "capacity: as much as who covers a territory as primary can carry (their shares, and one full-time rep "
            "where nobody does); equal: as much for each."
        ),
    )
    capacities: list[CapacityBody] = Field(
        default=[], max_length=_MOST_TERRITORIES, description="They count before what coverages tell."
    )
    homes: list[HomeBody] = Field(
        default=[],
        max_length=_MOST_TERRITORIES,
        description=(
            "They count before the postal code of the primary rep, which is where its accounts are. In what_if they also say "
            "where a leaf without accounts begins."
        ),
    )
    pull: Share = Field(
        default=0,
        validate_default=True,
        description="From where travel is counted: 0 the middle of the territory, 1 the rep's home.",
    )
    required: list[Requirement] = Field(
        default=[],
        max_length=3,
        description="What somebody who covers the territory has to meet of an account's wishes.",
    )
    keep_together: list[KeepTogether] = Field(
        default=[],
        max_length=3,
        description="Accounts that share one of these go to one territory: a postal code, a county, a place on the map.",
    )
    families: Families = Field(
        default=[], description="Accounts that go to one territory whole for reasons of their own."
    )
    forbidden: Forbiddens = Field(
        default=[],
        description=(
            "Accounts that single territories may not have, whoever covers them: conflicts of interest, for one. Pins count first. "
            "What no territory may have is refused."
        ),
    )
    accounts: SizesBody = Field(
        default=SizesBody(), description="How many accounts territories may have, whatever they weigh."
    )
    disruption: DisruptionBody | None = Field(
        default=None,
        description=(
            "For realign and what_if; when left out, a move costs half the travel of a mean account, or all of it in what_if."
        ),
    )
    contiguous: bool = Field(default=True, description="Territories are in one piece.")
    barriers: Barriers = Field(
        default=[],
        description="Rivers, ranges, borders: territories are in one piece without crossing them, around their ends.",
    )
    road_factors: RoadFactorsBody = Field(
        default=RoadFactorsBody(),
        description="By what roads are longer than the crow's ways; then lengths are told, and travel is weighed, by road.",
    )
    with_gaps: bool | None = Field(
        default=None,
        description="Accounts that belong nowhere take part; when left out, if all leaves are designed.",
    )
    starts: int = Field(
        default=4,
        ge=1,
        le=64,
        description=(
            "How many beginnings are tried on a coarse map, from scratch. The most promising is carried through; others are, "
            "too, where accounts are few or large, or balance was not found. The best is kept."
        ),
    )
    seed: int = Field(default=1, ge=0, le=2**31 - 1, description="Equal seed, equal accounts: equal plan.")
    time_budget_seconds: int = Field(
        default=300,
        ge=1,
        le=3600,
        description=(
            "For the engine: the best plan it has by then is the proposal; without any the run fails. Beginnings have two "
            "fifths of it, whatever `starts` says."
        ),
    )

    @field_validator("territory_ids", "required", "keep_together")
    @classmethod
    def _each_once(cls, values: Sequence[object] | None) -> Sequence[object] | None:
        _once(values or ())
        return values

    @field_validator("measures")
    @classmethod
    def _each_measure_once(cls, measures: list[MeasureBody]) -> list[MeasureBody]:
        _once(
            " ".join(filter(None, (one.measure, one.currency)))
            for one in measures
            if not one.potential_estimate_id
        )
        _once(one.potential_estimate_id for one in measures if one.potential_estimate_id)
        return measures

    @field_validator("capacities", "homes")
    @classmethod
    def _each_territory_once(cls, values: list[Told]) -> list[Told]:
        _once(one.territory_id for one in values)
        return values

    @field_validator("capacities")
    @classmethod
    def _not_equal(cls, capacities: list[CapacityBody], info: ValidationInfo) -> list[CapacityBody]:
        if capacities and info.data.get("targets") == "equal":
            raise ValueError("they count for nothing with equal targets; leave one of the two out")
        return capacities

    @field_validator("pull")
    @classmethod
    def _pulled(cls, pull: float, info: ValidationInfo) -> float:
        if pull == 0 and info.data.get("homes") and info.data.get("mode") is not Mode.WHAT_IF:
            raise ValueError("homes count for nothing without it; say how much they do")
        return pull

    @field_validator("disruption")
    @classmethod
    def _realigned(cls, disruption: DisruptionBody | None, info: ValidationInfo) -> DisruptionBody | None:
        if disruption is not None and info.data.get("mode") is Mode.GREENFIELD:
            raise ValueError("a greenfield run begins with nothing that could stay; use realign")
        if disruption is not None and disruption.most_moved < 1 and info.data.get("mode") is Mode.WHAT_IF:
            raise ValueError("what_if moves what the change asks for, however much that is; use realign")
        return disruption

    @field_validator("families")
    @classmethod
    def _each_relative_once(cls, families: list[FamilyBody]) -> list[FamilyBody]:
        check_families(families)
        return families

    @field_validator("forbidden")
    @classmethod
    def _each_pair_once(cls, forbidden: list[ForbiddenBody]) -> list[ForbiddenBody]:
        check_forbidden(forbidden)
        return forbidden

    @field_validator("barriers")
    @classmethod
    def _in_the_way(cls, barriers: list[LineStringBody], info: ValidationInfo) -> list[LineStringBody]:
        check_vertices(barriers)
        if barriers and info.data.get("contiguous") is False:
            raise ValueError("they count for nothing where territories need not be in one piece")
        return barriers

    def scenario(self) -> Scenario:
        """Return what the worker is asked."""
        whole = self.territory_ids is None
        disruption = self.disruption or DisruptionBody(stay=_STAYS[self.mode])
        return Scenario(
            mode=self.mode,
            measures=tuple(
                BalancedMeasure(one.measure, one.tolerance, one.soft, one.currency, one.potential_estimate_id)
                for one in self.measures
            ),
            disruption=Disruption(
                disruption.stay, disruption.most_moved, disruption.counted, disruption.currency
            ),
            pull=self.pull,
            required=tuple(self.required),
            contiguous=self.contiguous,
            whole=whole,
            with_gaps=whole if self.with_gaps is None else self.with_gaps,
            starts=self.starts,
            seed=self.seed,
            keep_together=tuple(self.keep_together),
            families=len(self.families),
            forbidden=sum(len(one.account_ids) for one in self.forbidden),
            barriers=len(self.barriers),
            road_factor=self.road_factors.overall,
            road_regions=len(self.road_factors.regions),
        )


def _once(values: Iterable[object]) -> None:
    twice = [str(value) for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ValueError(f"say everything once, and not twice {', '.join(twice[:3])}")
