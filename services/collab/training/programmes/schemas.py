"""Bodies of the programme routes."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, PlainSerializer, StringConstraints, field_validator

from services.collab.training.certifications.schemas import Code
from services.collab.training.programmes.programme import Course, EnrolmentRule, ProgrammeVersion
from services.collab.training.programmes.queries import ProgrammeRow
from shared.http.bodies import Body, Name, View

MAX_COURSES = 50
Score = Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)]
ShownScore = Annotated[Decimal, PlainSerializer(lambda score: f"{score:f}", return_type=str)]
# As the accounts' industries are compared: in lower case.
Industry = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
Kind = Literal["geographic", "named_account", "overlay"]


class CourseBody(Body):
    """One course."""

    code: Code
    title: Name
    mastery_score: Score = Field(default=Decimal(0), description="So many of 100 pass it.")


class RuleBody(Body):
    """Whom the programme enrols by itself."""

    territory_kinds: tuple[Kind, ...] = Field(
        default=(), max_length=3, description="Reps who cover a territory of such a kind."
    )
    industries: tuple[Industry, ...] = Field(
        default=(), max_length=100, description="Reps whose territory has accounts of such an industry."
    )
    on_expiry: bool = Field(
        default=False, description="Reps whose certification of this programme enters its renewal window."
    )


class ProgrammeBody(Body):
    """What a programme asks and gives."""

    name: Name
    grants: Code | None = Field(default=None, description="The certification it grants.")
    courses: tuple[CourseBody, ...] = Field(min_length=1, max_length=MAX_COURSES)
    enrols: RuleBody = RuleBody()
    due_days: int = Field(default=30, ge=1, le=3650)

    @field_validator("courses")
    @classmethod
    def _each_once(cls, courses: tuple[CourseBody, ...]) -> tuple[CourseBody, ...]:
        if len({course.code for course in courses}) != len(courses):
            raise ValueError("each code once")
        return courses

    def content(self) -> ProgrammeVersion:
        """Return what the version says."""
        rule = self.enrols
        return ProgrammeVersion(
            name=self.name,
            grants=self.grants,
            courses=tuple(Course(c.code, c.title, c.mastery_score) for c in self.courses),
            rule=EnrolmentRule(rule.territory_kinds, rule.industries, rule.on_expiry),
            due_days=self.due_days,
        )


class CourseView(View):
    """One course."""

    code: str
    title: str
    mastery_score: ShownScore


class RuleView(View):
    """Whom the programme enrols by itself."""

    territory_kinds: list[Kind]
    industries: list[str]
    on_expiry: bool


class ProgrammeView(View):
    """A version of a programme."""

    programme_id: UUID
    version: int
    name: str
    grants: str | None
    courses: list[CourseView]
    enrols: RuleView
    due_days: int
    published_at: datetime
    published_by: str

    @classmethod
    def of(cls, row: ProgrammeRow) -> Self:
        """Show a programme."""
        content = row.content
        return cls(
            programme_id=row.programme_id,
            version=row.version,
            name=content.name,
            grants=content.grants,
            courses=[CourseView.model_validate(course) for course in content.courses],
            enrols=RuleView.model_validate(content.rule),
            due_days=content.due_days,
            published_at=row.published_at,
            published_by=row.published_by,
        )
