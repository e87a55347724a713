"""Reads Territory2 and Territory2Type into a plan's tree: what is there is changed or stays, new ones are added."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.assignment.crm.import_report import ImportReport, Row, read_rows
from services.assignment.crm.references import TERRITORY, References
from services.assignment.crm.shapes import WrongRecord
from services.assignment.territories.refusals import InvalidTree
from services.assignment.territories.tree import Territory, TerritoryKind, Tree, plant_tree

TERRITORIES, TYPES = "Territory2", "Territory2Type"
_FIELDS = {"/name": "Name", "/parent_id": "ParentTerritory2Id", "/territory_id": "Id"}
CODE_FIELD = "Bailiwick_Code__c"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_KINDS = ", ".join(TerritoryKind)


def read_territories(
    territories: Sequence[Any], types: Sequence[Any], tree: Tree, references: References, report: ImportReport
) -> Tree:
    """Return the tree with the territories of the document in it; wrong ones are refused, and all below them."""
    kinds = _read_types(types, report)
    before = {node.territory_id: node for node in tree.territories}
    rows: dict[UUID, tuple[Row, Territory]] = {}
    for row in read_rows(TERRITORIES, territories, report):
        try:
            node = _territory(row, kinds, before, references)
            if node.territory_id in rows:
                raise WrongRecord("Id", "names the same territory as a row before", "duplicate")  # noqa: TRY301 - counted once
        except WrongRecord as wrong:
            report.refuse(row, wrong)
            continue
        rows[node.territory_id] = row, node
    planted = _plant(tree, rows, report)
    for territory_id, (row, node) in rows.items():
        references.add(TERRITORY, row.external_id, territory_id)
        known = before.get(territory_id)
        report.take(TERRITORIES, known=known is not None, same=known == node)
    return planted


def _read_types(types: Sequence[Any], report: ImportReport) -> dict[str, TerritoryKind]:
    kinds: dict[str, TerritoryKind] = {}
    for row in read_rows(TYPES, types, report):
        try:
            named = row.text("Bailiwick_Kind__c") or row.text("DeveloperName") or ""
            if named.lower() not in set(TerritoryKind):
                raise WrongRecord(  # noqa: TRY301 - counted once
                    "DeveloperName",
                    f"one of {_KINDS}; where it has another name, say it in Bailiwick_Kind__c",
                )
        except WrongRecord as wrong:
            report.refuse(row, wrong)
            continue
        kinds[row.external_id] = TerritoryKind(named.lower())
        report.take(TYPES, known=True, same=True)
    return kinds


def _territory(
    row: Row, kinds: dict[str, TerritoryKind], before: dict[UUID, Territory], references: References
) -> Territory:
    territory_id = references.find(TERRITORY, row.external_id)
    known = before.get(territory_id)
    return Territory(
        territory_id,
        _parent(row, known, references),
        known.name if known is not None and "Name" not in row.record else row.needed_text("Name"),
        _kind(row, kinds, known),
        _code(row, known),
    )


def _parent(row: Row, known: Territory | None, references: References) -> UUID | None:
    # Null makes it a root; where no parent is told, it stays where it is.
    if "ParentTerritory2Id" not in row.record:
        return None if known is None else known.parent_id
    if row.record["ParentTerritory2Id"] is None:
        return None
    return references.find(TERRITORY, row.reference("ParentTerritory2Id"))


def _kind(row: Row, kinds: dict[str, TerritoryKind], known: Territory | None) -> TerritoryKind:
    if known is not None and "Territory2TypeId" not in row.record:
        return known.kind
    if row.record.get("Territory2TypeId") is None:
        return TerritoryKind.GEOGRAPHIC
    kind = kinds.get(row.reference("Territory2TypeId"))
    if kind is None:
        raise WrongRecord(
            "Territory2TypeId",
            "the document has no such Territory2Type, or it was refused",
            "unknown-reference",
        )
    return kind


def _code(row: Row, known: Territory | None) -> str | None:
    # Salesforce has no short name of its own; where none is told, what was given here stays.
    if CODE_FIELD not in row.record:
        return None if known is None else known.code
    code = row.text(CODE_FIELD)
    if code is not None and not _CODE.fullmatch(code):
        raise WrongRecord(CODE_FIELD, "1 to 32 letters, digits, dots, hyphens and underscores")
    return code


def _plant(tree: Tree, rows: dict[UUID, tuple[Row, Territory]], report: ImportReport) -> Tree:
    """Take rows out until what is left is a tree, and return it. Raises InvalidTree if no row is to blame."""
    while True:
        merged = {node.territory_id: node for node in tree.territories}
        merged |= {territory_id: node for territory_id, (_, node) in rows.items()}
        nodes = list(merged.values())
        try:
            return plant_tree(nodes)
        except InvalidTree as invalid:
            wrong = _to_blame(invalid, nodes, rows)
            if not wrong:
                raise
            for territory_id, why in wrong.items():
                report.refuse(rows.pop(territory_id)[0], why)


def _to_blame(
    invalid: InvalidTree, nodes: list[Territory], rows: dict[UUID, tuple[Row, Territory]]
) -> dict[UUID, WrongRecord]:
    wrong: dict[UUID, WrongRecord] = {}
    entitled = _entitled(nodes, rows)
    for error in invalid.extensions.get("errors", ()):
        _, _, place = error["pointer"].partition("/territories/")
        number, slash, field = place.partition("/")
        if not slash or (node := nodes[int(number)]).territory_id not in rows:
            continue
        if field != "name":
            wrong[node.territory_id] = WrongRecord(_FIELDS[slash + field], error["detail"])
        elif node.territory_id not in entitled:
            wrong[node.territory_id] = WrongRecord("Name", error["detail"], "duplicate")
    return wrong


def _entitled(nodes: list[Territory], rows: dict[UUID, tuple[Row, Territory]]) -> set[UUID]:
    """Return which of the territories that want one name may have it: who had it before, else who came first."""
    holders: dict[tuple[UUID | None, str], UUID] = {}
    for node in sorted(nodes, key=lambda node: node.territory_id in rows):
        holders.setdefault((node.parent_id, node.name), node.territory_id)
    return set(holders.values())
