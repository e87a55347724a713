"""What Postgres says went wrong: the five characters of an SQLSTATE, by the names of its manual."""

from sqlalchemy.exc import DBAPIError

FOREIGN_KEY_VIOLATION = "23503"
UNIQUE_VIOLATION = "23505"
EXCLUSION_VIOLATION = "23P01"
SERIALIZATION_FAILURE = "40001"
DEADLOCK = "40P01"
LOCK_NOT_AVAILABLE = "55P03"
QUERY_CANCELED = "57014"


def sqlstate_of(error: DBAPIError) -> str | None:
    """Return the SQLSTATE behind a driver error, if the server sent one."""
    state = getattr(error.orig, "sqlstate", None)
    return state if isinstance(state, str) else None
