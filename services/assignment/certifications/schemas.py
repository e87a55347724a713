"""Bodies about required certifications and who lacks them."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from services.assignment.certifications.eligibility import CertificationFinding, Missing
from shared.http.bodies import Body, View
from shared.http.pagination import Page

CertificationCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]


class RequiredCertificationsBody(Body):
    """Which certifications who covers the territory has to hold, by the codes that collab knows them by."""

    certification_codes: tuple[CertificationCode, ...] = Field(max_length=20)


class RequiredCertificationsView(View):
    """What a territory requires of who covers it."""

    territory_id: UUID
    certification_codes: list[str]
    inherited_codes: list[str] = Field(description="What a territory above it requires, and so it does.")


class MissingView(View):
    """A certification that is required and not held on the day."""

    certification_code: str
    reason: Missing
    held_until: date | None = Field(description="The day on which it ended, if it was held.")
    held_from: date | None = Field(description="The day on which it will begin, if it was granted.")


class IneligibleCoverageView(View):
    """A coverage by a rep who does not hold what the territory requires."""

    coverage_id: UUID
    territory_id: UUID
    rep_id: UUID
    missing: list[MissingView]


class IneligibleCoveragesView(Page[IneligibleCoverageView]):
    """Who covers without a valid certificate on a day."""

    on: date


def by_coverage(findings: Iterable[CertificationFinding]) -> list[IneligibleCoverageView]:
    """Gather findings, which come in the order of coverages."""
    found: dict[UUID, IneligibleCoverageView] = {}
    for finding in findings:
        fresh = IneligibleCoverageView(
            coverage_id=finding.coverage_id,
            territory_id=finding.territory_id,
            rep_id=finding.rep_id,
            missing=[],
        )
        found.setdefault(finding.coverage_id, fresh).missing.append(MissingView.model_validate(finding))
    return list(found.values())
