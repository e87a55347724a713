"""A plan: one version of the territory tree with its rules. Drafts change, what was live never does."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.assignment.plans.refusals import PlanAlreadyActive, PlanNotDraft
from shared.runtime.refusals import VersionMismatch


class PlanState(StrEnum):
    """Where a plan stands; a retired one may be put in force again."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan's own row; `version` rises with every change to it, its tree or its rules."""

    plan_id: UUID
    name: str
    state: PlanState
    version: int
    based_on_plan_id: UUID | None
    tree_id: UUID | None
    drafted_at: datetime
    drafted_by: str
    activated_at: datetime | None = None
    retired_at: datetime | None = None

    def check_editable(self, expected_version: int) -> None:
        """Check that it may change. Raises PlanNotDraft or VersionMismatch."""
        if self.state is not PlanState.DRAFT:
            raise PlanNotDraft(
                f"The plan is {self.state}: only a draft changes; clone it and edit the clone."
            )
        self._check_version(expected_version)

    def check_activatable(self, expected_version: int) -> None:
        """Check that it may become the live plan. Raises PlanAlreadyActive or VersionMismatch."""
        if self.state is PlanState.ACTIVE:
            raise PlanAlreadyActive("The plan is the live one already.")
        self._check_version(expected_version)

    def _check_version(self, expected_version: int) -> None:
        if self.version != expected_version:
            raise VersionMismatch(
                f"If-Match: the plan is at version {self.version}; read it again and decide anew."
            )


@dataclass(frozen=True, slots=True)
class LivePlan:
    """What is in force; `plan_id` is None before the first activation, `sequence` counts activations."""

    plan_id: UUID | None
    activation_id: UUID | None
    sequence: int
