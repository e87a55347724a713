"""How CRMs call the fields of accounts and reps: Salesforce's Account and User, HubSpot's companies and owners."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

from services.assignment.crm.states import code_of
from services.assignment.texts import NotText, tidy

Record = Mapping[str, Any]
Code = Literal[
    "invalid-value",
    "missing",
    "duplicate",
    "unknown-reference",
    "unsupported",
    "depends-on-refused",
    "conflict",
]
"""The kinds of mistakes in records; programs that send them act on these, people read the detail."""


# HubSpot's ids are plain numbers, and so are zero-padded ones of other systems.
_SHORT_ID = re.compile(r"(?=.*[A-Za-z])0[0-9A-Za-z]{14}")
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

NO_RECORD = "an object, as the CRM's API gives it"


class System(StrEnum):
    """A CRM whose shapes are spoken here."""

    SALESFORCE = "salesforce"
    HUBSPOT = "hubspot"


# BillingStateCode comes where an organisation has state picklists on, and then says it in two letters.
ACCOUNT_FIELDS: Mapping[System, Mapping[str, str]] = MappingProxyType(
    {
        System.SALESFORCE: {
            "Name": "name",
            "BillingPostalCode": "postal_code",
            "BillingState": "state",
            "BillingStateCode": "state",
            "County_FIPS__c": "county",
            "BillingLatitude": "latitude",
            "BillingLongitude": "longitude",
            "Industry": "industry",
            "NumberOfEmployees": "employees",
        },
        System.HUBSPOT: {
            "name": "name",
            "zip": "postal_code",
            "state": "state",
            "county_fips": "county",
            "latitude": "latitude",
            "longitude": "longitude",
            "industry": "industry",
            "numberofemployees": "employees",
        },
    }
)


# The last three are lists: multi-select picklists, with semicolons between the values.
USER_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "Name": "name",
        "PostalCode": "postal_code",
        "Languages__c": "languages",
        "Industries__c": "industries",
        "Needs__c": "need_kinds",
    }
)


class WrongRecord(Exception):
    """A record that is not made as the CRM's records are: which field, what kind of mistake, and how to mend it."""

    def __init__(self, field: str, detail: str, code: Code = "invalid-value") -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail
        self.code = code


@dataclass(frozen=True, slots=True)
class Told:
    """What a record tells, in our words; `names` are the CRM's words for the same fields."""

    external_id: str
    fields: Mapping[str, Any]
    names: Mapping[str, str]

    def named(self, field: str, system: System) -> str:
        """Return how the CRM calls a field of ours."""
        if field == "external_id":
            return "Id" if system is System.SALESFORCE else "id"
        known = (name for name, ours in ACCOUNT_FIELDS[system].items() if ours == field)
        return self.names.get(field) or next(known, field)


def read_account_record(system: System, record: object) -> Told:
    """Return what an account's record tells. Raises WrongRecord."""
    if not isinstance(record, Mapping):
        raise WrongRecord("", NO_RECORD)
    if system is System.SALESFORCE:
        return Told(read_id(record.get("Id"), "Id"), *told_fields(system, record))
    properties = record.get("properties")
    if not isinstance(properties, Mapping):
        raise WrongRecord("properties", "is missing: an object with the company's properties", "missing")
    return Told(read_id(record.get("id"), "id"), *told_fields(system, properties))


def told_fields(system: System, record: Record) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields we keep, and how the record called them; others are the CRM's own affair."""
    fields: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name, field in ACCOUNT_FIELDS[system].items():
        if name in record and (record[name] not in (None, "") or field not in fields):
            fields[field] = None if record[name] == "" else record[name]
            names[field] = name
    if "state" in fields:
        fields["state"] = code_of(fields["state"])
    return fields, names


def read_rep_record(system: System, record: object) -> Told:
    """Return what a user or an owner tells. Raises WrongRecord."""
    if not isinstance(record, Mapping):
        raise WrongRecord("", NO_RECORD)
    if system is System.SALESFORCE:
        told = {name: record[name] for name in USER_FIELDS if name in record}
        fields = {USER_FIELDS[name]: None if value == "" else value for name, value in told.items()}
        return Told(read_id(record.get("Id"), "Id"), fields, {USER_FIELDS[name]: name for name in told})
    parts = [record.get("firstName"), record.get("lastName")]
    written = " ".join(part for part in parts if isinstance(part, str) and part)
    return Told(
        read_id(record.get("id"), "id"), {"name": written or record.get("email")}, {"name": "lastName"}
    )


def refuse_deleted(system: System, record: Record) -> None:
    """Check that the CRM has not thrown the record away. Raises WrongRecord."""
    field = "IsDeleted" if system is System.SALESFORCE else "archived"
    if record.get(field) is True:
        raise WrongRecord(
            field,
            "nothing is deleted here, its history is kept; send the account to a territory by a rule",
            "unsupported",
        )


def read_id(raw: object, field: str) -> str:
    """Return a CRM's id as text. Raises WrongRecord."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < 1 << 63:
        raw = str(raw)  # HubSpot writes its ids as numbers in webhooks and as text in records
    if not isinstance(raw, str):
        raise WrongRecord(field, "is missing: the record's id in the CRM, in quotes", "missing")
    try:
        text = tidy(raw)
    except NotText as reason:
        raise WrongRecord(field, str(reason)) from None
    if not 1 <= len(text) <= 128:
        raise WrongRecord(field, "1 to 128 characters")
    return _written_out(text) if _SHORT_ID.fullmatch(text) else text


def _written_out(short: str) -> str:
    """Return Salesforce's id of 18 characters for that of 15: its reports write the one, its API the other.

    The suffix has a letter for each five characters, which tells which of them are capitals.
    https://help.salesforce.com/s/articleView?id=000385585
    """
    fifths = [short[start : start + 5] for start in range(0, 15, 5)]
    return short + "".join(
        _SUFFIX[sum(1 << place for place, one in enumerate(fifth) if one.isupper())] for fifth in fifths
    )
