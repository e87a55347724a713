"""Reads a body into the lists of records that a CRM's objects come in. Pure."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from services.assignment.crm.imports.refusals import UnreadableDocument
from services.assignment.crm.salesforce.coverage_reader import COVERAGES
from services.assignment.crm.salesforce.rule_reader import ITEMS, PLACES, RULES
from services.assignment.crm.salesforce.territory_reader import TERRITORIES, TYPES
from services.assignment.crm.shapes import System

MAX_RECORDS = 200_000

ACCOUNTS: Mapping[System, str] = MappingProxyType({System.SALESFORCE: "Account", System.HUBSPOT: "companies"})
REPS: Mapping[System, str] = MappingProxyType({System.SALESFORCE: "User", System.HUBSPOT: "owners"})
MODELS = "Territory2Model"
# In the order in which they are taken: each names only what stands before it.
PLAN_OBJECTS = (TYPES, TERRITORIES, RULES, ITEMS, PLACES)
OBJECTS: Mapping[System, tuple[str, ...]] = MappingProxyType(
    {
        System.SALESFORCE: (
            ACCOUNTS[System.SALESFORCE],
            REPS[System.SALESFORCE],
            MODELS,
            *PLAN_OBJECTS,
            COVERAGES,
        ),
        System.HUBSPOT: (ACCOUNTS[System.HUBSPOT], REPS[System.HUBSPOT]),
    }
)
Document = Mapping[str, list[Any]]


def read_document(system: System, body: bytes) -> Document:
    """Return every list of the body, empty where there is none. Raises UnreadableDocument."""
    known = OBJECTS[system]
    try:
        raw = json.loads(body, object_pairs_hook=_read_object)
    except (ValueError, RecursionError):
        raise UnreadableDocument("body: not JSON.") from None
    if not isinstance(raw, dict) or not raw or not raw.keys() <= set(known):
        raise UnreadableDocument(f"body: an object that has lists of records under {', '.join(known)}.")
    document = {name: raw.get(name, []) for name in known}
    for name, records in document.items():
        if not isinstance(records, list):
            raise UnreadableDocument(f"{name}: a list of records.")
    if sum(map(len, document.values())) > MAX_RECORDS:
        raise UnreadableDocument(f"body: at most {MAX_RECORDS} records; send the others after them.")
    if MODELS in document:
        _check_model(document)
    return document


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # Python would keep the last and say nothing. In ASCII: a name may be what no answer can be written in.
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise UnreadableDocument(f"{ascii(twice)[1:-1][:200]}: stands twice in one object; send it once.")
    return found


def _check_model(document: Document) -> None:
    planned = [name for name in PLAN_OBJECTS if document[name]]
    if len(document[MODELS]) > 1 or (planned and not document[MODELS]):
        raise UnreadableDocument(
            f"{MODELS}: one record, it says which plan {', '.join(planned) or 'the document'} is about."
        )
