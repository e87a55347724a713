"""What is said of tables, figures and processes turns red on what deserves it, and stays green beside it."""

import json

from tests.faults.checks import Record
from tests.faults.observed import Raw
from tests.faults.tables import (
    Outcomes,
    find_ended,
    find_unequal,
    find_unfit_processes,
    find_wrong_commands,
    find_wrong_projection,
    find_wrong_tally,
    find_wrong_watermarks,
    timelines_of,
)

NAMES = {1: "c-1", 2: "c-2"}
ONCE = {"c-1": 1, "c-2": 1}
ANSWERED = Outcomes(NAMES, acknowledged=[1, 2], failed=[], unresolved=[])


def record(version: int, *, command: int | None = None, key: str = "k") -> Record:
    return Record("t", 0, version - 1, key, version, f"{key}-{version}", command)


def raw(version: int, territory: str | None, *, event_id: str = "", kind: str = "aligned") -> Raw:
    content = {"account_id": "a", "to_territory_id": territory}
    headers = {
        "ce_id": (event_id or f"e-{version}").encode(),
        "ce_type": f"assignment.account.{kind}.v1".encode(),
        "ce_aggregateversion": str(version).encode(),
    }
    return Raw("t", 0, version, b"a", json.dumps(content).encode(), headers)


def kinds(findings) -> list[str]:
    return [finding.kind for finding in findings]


LOG = [record(1, command=1), record(2, command=2)]


def test_commands_stored_once_and_told_are_right():
    assert find_wrong_commands(ANSWERED, LOG, ONCE) == []


def test_acknowledged_and_not_stored_is_lost():
    assert kinds(find_wrong_commands(ANSWERED, LOG, {"c-1": 1})) == ["lost from the database"]


def test_stored_and_not_told_is_lost_from_the_log():
    found = kinds(find_wrong_commands(ANSWERED, LOG[:1], ONCE))
    assert found == ["lost from the log", "A: stored without an event"]


def test_what_was_refused_and_is_stored_is_found():
    refused = Outcomes(NAMES, acknowledged=[1], failed=[2], unresolved=[])
    found = kinds(find_wrong_commands(refused, LOG, ONCE))
    assert found == ["aborted", "B: a refused command is in the database"]


def test_one_key_with_two_effects_is_found():
    (found,) = find_wrong_commands(ANSWERED, LOG, {"c-1": 2, "c-2": 1})
    assert (found.kind, found.example) == ("F: one key, several effects", "c-1 2 times")


def test_a_command_without_an_answer_is_found():
    waiting = Outcomes(NAMES, acknowledged=[1], failed=[], unresolved=[2])
    assert kinds(find_wrong_commands(waiting, LOG, ONCE)) == ["never answered"]


def test_a_tally_that_differs_from_the_list_is_found():
    listed = {"k": (2, 7), "l": (1, 1)}
    assert find_wrong_tally(listed, listed) == []
    for tallied in (
        {"k": (3, 7), "l": (1, 1)},
        {"k": (2, 8), "l": (1, 1)},
        {"k": (2, 7)},
        {**listed, "m": (1, 0)},
    ):
        assert kinds(find_wrong_tally(tallied, listed)) == ["C: tally and list differ"]


def test_a_reader_that_stands_elsewhere_than_at_the_last_version_is_found():
    assert find_wrong_watermarks([record(1), record(2)], {"k": 2}) == []
    for found in ({"k": 1}, {"k": 3}, {}):
        assert kinds(find_wrong_watermarks([record(1), record(2)], found)) == ["D: watermark"]


MOVES = [raw(1, None, kind="registered"), raw(2, "north"), raw(3, "south"), raw(2, "north")]
TIMELINE = {("a", 2): "north", ("a", 3): "south"}
PLACES = {"a": (3, "south")}


def test_a_projection_that_is_what_the_log_says_is_right():
    assert find_wrong_projection(MOVES, TIMELINE, PLACES) == []


def test_a_timeline_that_misses_a_move_or_has_another_is_found():
    for timeline in ({("a", 3): "south"}, {**TIMELINE, ("a", 2): "west"}, {**TIMELINE, ("a", 4): "west"}):
        assert kinds(find_wrong_projection(MOVES, timeline, PLACES)) == ["J: timeline"]


def test_an_account_at_another_place_than_its_last_move_is_found():
    for places in ({"a": (2, "north")}, {"a": (3, "north")}, {}):
        assert kinds(find_wrong_projection(MOVES, TIMELINE, places)) == ["J: place of an account"]


def test_of_two_events_under_one_version_the_first_counts():
    assert timelines_of([raw(2, "north"), raw(2, "west", event_id="other")]) == {("a", 2): "north"}


def test_figures_and_rollups_that_differ_are_found():
    equal = {"equal": True, "differing": 0, "cells": 9}
    assert find_unequal(None, equal) == []
    assert kinds(find_unequal("revenue as_is is 1", equal)) == ["C: figures"]
    (found,) = find_unequal(None, {"equal": False, "differing": 2, "cells": 9})
    assert (found.kind, found.example) == ("J: roll-ups", "2 of 9 cells differ")


def test_processes_that_are_large_stuck_or_gone_are_found():
    sizes = {"metrics.api": 100}
    assert find_unfit_processes(sizes, limit=100, stuck=[], ended=[]) == []
    assert kinds(find_unfit_processes(sizes, limit=99, stuck=[], ended=[])) == ["I: memory"]
    stuck = find_unfit_processes(sizes, limit=100, stuck=[{"state": "idle in transaction"}], ended=[])
    assert kinds(stuck) == ["I: a connection in a transaction"]
    gone = find_unfit_processes(sizes, limit=100, stuck=[], ended=["metrics.api ended with 1"])
    assert gone == find_ended(["metrics.api ended with 1"])
    assert kinds(gone) == ["I: a process that ended by itself"]
