"""Who is calling, what they may do, and where: the result of a verified access token."""

from dataclasses import dataclass
from enum import StrEnum

from shared.db.scope import Scope


class Role(StrEnum):
    """The roles of product and tokens."""

    VIEWER = "viewer"
    CONTRIBUTOR = "contributor"
    MANAGER = "manager"
    ADMIN = "admin"
    SERVICE = "service"


READERS = frozenset(Role)
WRITERS = frozenset({Role.CONTRIBUTOR, Role.MANAGER, Role.ADMIN, Role.SERVICE})
MANAGERS = frozenset({Role.MANAGER, Role.ADMIN, Role.SERVICE})
ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: `subject` is opaque, `scope` is the territories they may see."""

    subject: str
    roles: frozenset[Role]
    scope: Scope
