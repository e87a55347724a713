"""Telling errors that pass by themselves from errors of a handler."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.db.sqlstate import LOCK_NOT_AVAILABLE, QUERY_CANCELED, sqlstate_of
from shared.db.transact import Overtaken
from shared.runtime.refusals import Refusal

# Classes of SQLSTATE that are no record's fault: connection, authorisation, missing database or schema,
# rollback, a schema that is not what the code expects, resources, operator, system, internal error.
_TRANSIENT_CLASSES = frozenset({"08", "28", "3D", "3F", "40", "42", "53", "57", "58", "XX"})
_TRANSIENT_STATES = frozenset({"25006", LOCK_NOT_AVAILABLE, "55006"})


def is_transient(error: BaseException) -> bool:
    """Tell whether the same work may succeed later without any change of data or code."""
    if isinstance(error, DBAPIError):
        state = sqlstate_of(error)
        if state is None:
            return (
                error.connection_invalidated or isinstance(error.orig, OSError | TimeoutError) or _lost(error)
            )
        if state == QUERY_CANCELED:
            return False  # a statement that ran too long is retried with fewer records
        return state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES or _plan_changed(error)
    if isinstance(error, Refusal):
        return error.passes
    return isinstance(error, OSError | TimeoutError | PoolTimeout | Overtaken)


def _lost(error: DBAPIError) -> bool:
    # asyncpg's own complaints about a connection that is gone carry no SQLSTATE.
    return "connection" in str(error.orig).lower()


def _plan_changed(error: DBAPIError) -> bool:
    return "cached statement plan is invalid" in str(error.orig)
