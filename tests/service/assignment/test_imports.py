"""Imports over HTTP: row by row, nothing half-written, and the traps that real files hold."""

import json
from typing import Any

import httpx
import pytest

from shared.contracts.identity import account_id_of, rep_id_of
from tests.service.assignment.conftest import Assignment


async def _csv(assignment: Assignment, content: str | bytes, kind: str = "text/csv") -> httpx.Response:
    return await assignment.http.post("/v1/accounts/imports", content=content, headers={"content-type": kind})


async def test_text_stays_text_and_blanks_are_missing(assignment: Assignment) -> None:
    """The industry may be "NA", the ZIP 01841, and a blank cell no value at all."""
    answer = await _csv(
        assignment,
        "\ufeffexternal_id,name,postal_code,county,state,latitude,longitude,industry,employees\r\n"
        '0007," Straße & Søn, Inc ",01841,25009,ma,42.7,-71.1,NA,\r\n'
        "\r\n"
        "8,null,,,,,,  ,12\r\n",
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "received": 2,
        "registered": 2,
        "changed": 0,
        "unchanged": 0,
        "rejected": 0,
        "aligned": 0,
        "errors": [],
    }
    first = await assignment.get(f"/v1/accounts/{account_id_of('0007')}")
    assert (first["external_id"], first["name"]) == ("0007", "Straße & Søn, Inc")
    assert (first["postal_code"], first["county"], first["state"]) == ("01841", "25009", "MA")
    assert (first["industry"], first["employees"], first["alignment"]) == ("NA", None, None)
    second = await assignment.get(f"/v1/accounts/{account_id_of('8')}")
    assert (second["name"], second["industry"], second["employees"]) == ("null", None, 12)


async def test_wrong_rows_are_reported_and_the_others_stored(assignment: Assignment) -> None:
    answer = await _csv(
        assignment,
        "external_id,name,postal_code,county,state,latitude,longitude,industry,employees\n"
        "a,A,1841,25009,MA,,,,\n"
        "b,B,01841,25009,MA,,,,\n"
        "c,C,,1001,,,,,\n"
        "d,D,,,TEX,,,,\n"
        "e,,,,,,,,\n"
        "f,F,,,,91,0,,\n"
        "g,G,,,,42,,,\n"
        'h,H,,,,,,,"1,200"\n'
        "b,B again,,,,,,,\n"
        "i,I,x\n"
        ",J,,,,,,,\n",
    )
    report = answer.json()
    assert (report["received"], report["registered"], report["rejected"]) == (11, 1, 10)
    assert [(error["row"], error["external_id"], error["field"]) for error in report["errors"]] == [
        (2, "a", "postal_code"),
        (4, "c", "county"),
        (5, "d", "state"),
        (6, "e", "name"),
        (7, "f", "latitude"),
        (8, "g", "latitude"),
        (9, "h", "employees"),
        (10, "b", "external_id"),
        (11, None, None),
        (12, None, "external_id"),
    ]
    assert "leading zero" in report["errors"][0]["detail"]
    assert (await assignment.get(f"/v1/accounts/{account_id_of('b')}"))["name"] == "B"


async def test_ndjson_types_are_taken_at_their_word(assignment: Assignment) -> None:
    rows: list[Any] = [
        {"external_id": "a", "name": "A", "postal_code": 1841},
        {"external_id": "b", "name": "B", "employees": 12.5},
        {"external_id": "c", "name": "C", "employees": True},
        {"external_id": "d", "name": "D", "size": 1},
        {"external_id": "e", "name": "E\x00"},
        ["not an object"],
        {"external_id": "g", "name": "G", "employees": None, "industry": ""},
        {"external_id": "h", "name": "line\u2028break"},
        {"external_id": "i", "name": "\ud800"},
        {"external_id": "\ud800", "name": "J"},
    ]
    content = "\n".join([*map(json.dumps, rows), "{broken", ""])
    answer = await _csv(assignment, content, "application/x-ndjson")
    report = answer.json()
    assert (report["registered"], report["rejected"]) == (2, 9)
    assert [error["row"] for error in report["errors"]] == [1, 2, 3, 4, 5, 6, 9, 10, 11]
    assert "quotes" in report["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "words"),
    [
        ("external_id,name\na,Stra\xdfe\n".encode("latin-1"), "text/csv", 422, "Row 2: not UTF-8"),
        (b"external_id,size\na,1\n", "text/csv", 422, "unknown columns 'size'"),
        (b"external_id,external_id\na,1\n", "text/csv", 422, "twice"),
        (b'external_id,name\na,"open\n', "text/csv", 422, "not CSV"),
        (b"external_id,name\n", "text/csv", 422, "no rows"),
        (b"", "text/csv", 422, "names of its columns"),
        (b"", "application/x-ndjson", 422, "no rows"),
        (b"{}", "application/json", 415, "text/csv"),
    ],
)
async def test_a_file_that_cannot_be_read_changes_nothing(
    assignment: Assignment, content: bytes, kind: str, status: int, words: str
) -> None:
    answer = await _csv(assignment, content, kind)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert (await assignment.get("/v1/accounts"))["items"] == []


async def test_a_second_import_tells_new_changed_and_unchanged(assignment: Assignment) -> None:
    await assignment.import_accounts({"external_id": "a"}, {"external_id": "b", "industry": "retail"})
    report = await assignment.import_accounts(
        {"external_id": "a"}, {"external_id": "b", "industry": None}, {"external_id": "c"}
    )
    assert (report["registered"], report["changed"], report["unchanged"]) == (1, 1, 1)
    changed = await assignment.events("assignment.account.changed.v1")
    assert [(event["external_id"], event["industry"]) for event in changed] == [("b", None)]
    registered = await assignment.events("assignment.account.registered.v1")
    assert sorted(event["external_id"] for event in registered) == ["a", "b", "c"]


async def test_an_import_over_a_thousand_errors_reports_the_first(assignment: Assignment) -> None:
    content = "external_id,name\n" + ",nobody\n" * 1_200
    report = (await _csv(assignment, content)).json()
    assert (report["rejected"], len(report["errors"])) == (1_200, 1_000)


async def test_accounts_are_listed_in_pages(assignment: Assignment) -> None:
    await assignment.import_accounts(*({"external_id": str(number)} for number in range(7)))
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await assignment.get("/v1/accounts", limit=3, **cursor)
        found += [account["external_id"] for account in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(found) == [str(number) for number in range(7)]
    one = await assignment.get("/v1/accounts", external_id="3")
    assert [account["external_id"] for account in one["items"]] == ["3"]


async def test_reps_are_imported_by_external_id(assignment: Assignment) -> None:
    async def send(content: str) -> dict[str, Any]:
        answer = await assignment.http.post(
            "/v1/reps/imports", content=content, headers={"content-type": "text/csv"}
        )
        return answer.json()

    first = await send("external_id,name,postal_code\nr1,Ada,01841\nr2,Bo,\nr3,,\n")
    assert (first["registered"], first["rejected"]) == (2, 1)
    second = await send("external_id,name,postal_code\nr1,Ada Diaz,01841\nr2,Bo,\n")
    assert (second["changed"], second["unchanged"]) == (1, 1)
    rep = await assignment.get(f"/v1/reps/{rep_id_of('r1')}")
    assert (rep["name"], rep["postal_code"]) == ("Ada Diaz", "01841")
    assert [r["external_id"] for r in (await assignment.get("/v1/reps", external_id="r2"))["items"]] == ["r2"]
