"""What became of accounts that a run keeps together: how many groups there are, and what they could not have."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field, TypeAdapter

from shared.http.bodies import View

if TYPE_CHECKING:  # the api learns of arrays when it first draws
    from services.assignment.design.inputs.together import Groups


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTogether:
    """Groups of two accounts or more, and the accounts in them; `largest` has the most of these."""

    groups: int
    accounts: int
    largest: int
    parted: int
    unmet: int


KEPT_TOGETHER = TypeAdapter(KeptTogether | None)


def count_groups(groups: "Groups | None", *, unmet: int) -> KeptTogether | None:
    """Return what there is to tell of groups; None where nobody is kept together."""
    if groups is None:
        return None
    sizes = groups.sizes()
    several = [size for size in sizes if size > 1]
    return KeptTogether(
        groups=len(several),
        accounts=sum(several),
        largest=max(several, default=0),
        parted=groups.parted,
        unmet=unmet,
    )


class KeptTogetherView(View):
    """Accounts that go to one territory whole, in groups."""

    groups: int = Field(description="Of two accounts or more.")
    accounts: int = Field(description="Those in groups.")
    largest: int = Field(description="Accounts of the largest group.")
    parted: int = Field(
        description="Groups with accounts that take no part: left out, or elsewhere; these stay where they are."
    )
    unmet: int = Field(
        description="Groups whose wishes nobody meets all together: they may go anywhere, as a lone account may."
    )
