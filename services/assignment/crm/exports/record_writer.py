"""Writes accounts and reps as Salesforce's Account and User, or HubSpot's companies and owners. Pure."""

from collections.abc import Sequence
from typing import Any, Protocol

from services.assignment.crm.shapes import ACCOUNT_FIELDS, USER_FIELDS, System

# The two letters that are kept are the code, not the name.
_READ_ONLY = {"BillingState"}
OWNER_FIELDS = {System.SALESFORCE: "OwnerId", System.HUBSPOT: "hubspot_owner_id"}


class Known(Protocol):
    """An account or a rep as read."""

    @property
    def external_id(self) -> str:
        """Return what the CRM calls it."""


class KnownRep(Known, Protocol):
    """A rep as read."""

    @property
    def name(self) -> str:
        """Return the rep's name."""


def write_account(system: System, account: Known, *, owner: str | None) -> dict[str, Any]:
    """Return an account's record; its owner is the rep who covers its territory."""
    fields = {
        theirs: getattr(account, ours)
        for theirs, ours in ACCOUNT_FIELDS[system].items()
        if theirs not in _READ_ONLY
    }
    fields[OWNER_FIELDS[system]] = owner
    if system is System.SALESFORCE:
        return {"Id": account.external_id, **fields}
    # HubSpot writes every property as text.
    properties = {name: None if value is None else str(value) for name, value in fields.items()}
    return {"id": account.external_id, "properties": properties}


def write_rep(system: System, rep: KnownRep) -> dict[str, Any]:
    """Return a rep's record."""
    if system is System.SALESFORCE:
        fields = {theirs: _joined(getattr(rep, ours)) for theirs, ours in USER_FIELDS.items()}
        return {"Id": rep.external_id, **fields}
    first, _, last = rep.name.rpartition(" ")
    return {"id": rep.external_id, "firstName": first, "lastName": last}


def _joined(value: str | Sequence[str] | None) -> object:
    if value is None or isinstance(value, str):
        return value
    # A value with a semicolon of its own cannot stand in a picklist.
    return list(value) if any(";" in part for part in value) else ";".join(value)
