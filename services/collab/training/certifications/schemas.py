"""Bodies of the certification routes."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import Path
from pydantic import Field, StringConstraints, model_validator

from services.collab.training.certifications.commands import Certification
from services.collab.training.certifications.validity import SHORTEST_MONTH, Terms
from shared.http.bodies import Body, Name, View

_CODE = r"^[a-z0-9][a-z0-9.-]{0,63}$"
Code = Annotated[str, StringConstraints(pattern=_CODE)]
CodeInPath = Annotated[str, Path(pattern=_CODE)]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9 ._-]{0,63}$")]


class CertificationTermsBody(Body):
    """What a certification says and on which terms."""

    name: Name
    kind: Literal["skill", "industry", "language"]
    tag: Tag = Field(description="Which skill, industry or language, in lower case.")
    validity_months: int = Field(ge=1, le=120)
    renewal_window_days: int = Field(default=60, ge=0, description="So early it may be renewed.")
    grace_days: int = Field(
        default=0, ge=0, description="A renewal up to so late ends when one in time would have."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        days = self.validity_months * SHORTEST_MONTH
        if self.renewal_window_days > days or self.grace_days >= days:
            raise ValueError(f"renewal_window_days and grace_days: less than the validity, {days} days")
        return self

    def certification(self, code: str) -> Certification:
        """Return the certification under this code."""
        terms = Terms(self.validity_months, self.renewal_window_days, self.grace_days)
        return Certification(code, self.name, self.kind, self.tag, terms)


class NewCertificationBody(CertificationTermsBody):
    """A certification to be made."""

    certification_code: Code


class CertificationView(View):
    """A certification."""

    certification_code: str
    name: str
    kind: Literal["skill", "industry", "language"]
    tag: str
    validity_months: int
    renewal_window_days: int
    grace_days: int
    version: int
    changed_at: datetime
    changed_by: str
