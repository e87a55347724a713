"""A rep: a person who sells, as known by an external system's id."""

from dataclasses import dataclass
from uuid import UUID

from shared.contracts.identity import rep_id_of


@dataclass(frozen=True, slots=True)
class RepDetails:
    """What an import tells of a rep."""

    external_id: str
    name: str
    postal_code: str | None = None
    languages: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    need_kinds: tuple[str, ...] = ()

    @property
    def rep_id(self) -> UUID:
        """Return the rep's id."""
        return rep_id_of(self.external_id)
