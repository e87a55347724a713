"""Which of our ids stands for a record of the CRM; the same record gets the same id in every installation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
from uuid import UUID, uuid5

from services.assignment.crm.shapes import System

_CRM = UUID("5d7f2c1e-8a34-5b0d-9c61-2e4f7a9b3d58")

Kind = Literal["plan", "territory", "rule"]
PLAN: Kind = "plan"
TERRITORY: Kind = "territory"
RULE: Kind = "rule"


@dataclass
class References:
    """Known references, and those that this import adds."""

    system: System
    known: Mapping[tuple[Kind, str], UUID]
    added: dict[tuple[Kind, str], UUID] = field(default_factory=dict)

    def find(self, kind: Kind, external_id: str) -> UUID:
        """Return our id: the one on record, the record's own if it came from us, else one made of its name."""
        key = (kind, external_id)
        known = self.known.get(key) or self.added.get(key)
        return known or _own(external_id) or uuid5(_CRM, f"{self.system}\x1f{kind}\x1f{external_id}")

    def add(self, kind: Kind, external_id: str, our_id: UUID) -> None:
        """Keep what the CRM calls a thing of ours, unless it is called by our own id."""
        if (kind, external_id) not in self.known and _own(external_id) is None:
            self.added[kind, external_id] = our_id

    def name(self, kind: Kind, our_id: UUID) -> str:
        """Return what the CRM calls a thing of ours; what it has not heard of goes by our id."""
        return self.names.get((kind, our_id), str(our_id))

    @cached_property
    def names(self) -> Mapping[tuple[Kind, UUID], str]:
        """Return the known references, the other way round."""
        return {(kind, our_id): external_id for (kind, external_id), our_id in self.known.items()}


def _own(external_id: str) -> UUID | None:
    try:
        found = UUID(external_id)
    except ValueError:
        return None
    return found if str(found) == external_id else None
