"""Each checker of histories turns red on a history made to deserve it, and stays green beside it."""

import json
from pathlib import Path

from tests.faults.checks import (
    Applied,
    Period,
    Read,
    Record,
    Span,
    find_aborted,
    find_divergent,
    find_duplicated,
    find_gaps,
    find_inverted,
    find_lost,
    find_overlapping,
    find_stale,
    find_unseen,
)
from tests.faults.history import History


def record(version: int, *, offset: int | None = None, command: int | None = None, key: str = "k") -> Record:
    at = version - 1 if offset is None else offset
    return Record("t", 0, at, key, version, f"{key}-{version}", command, f"content {version}")


def applied(version: int, *, offset: int | None = None, key: str = "k") -> Applied:
    at = version - 1 if offset is None else offset
    return Applied("t", 0, at, key, version, f"{key}-{version}", f"content {version}")


def kinds(findings) -> list[str]:
    return [finding.kind for finding in findings]


GOOD = [record(1, command=1), record(2, command=2), record(2, offset=2, command=2), record(3, offset=3)]
EFFECTS = [applied(1), applied(2), applied(3, offset=3)]


def test_a_history_with_a_repeat_in_the_log_is_in_order():
    assert find_lost([1, 2], {1, 2}) == []
    assert find_aborted({9}, {1, 2, 9}, GOOD) == []
    assert find_duplicated(EFFECTS) == []
    assert find_divergent(GOOD, EFFECTS) == []
    assert find_inverted(GOOD, where="log") == []
    assert find_gaps(GOOD, where="log") == []
    assert find_unseen(GOOD, EFFECTS) == []


def test_an_acknowledged_command_without_an_event_is_lost():
    [finding] = find_lost([1, 2, 3], {1, 3})
    assert finding.count == 1
    assert "command 2" in finding.example


def test_an_event_of_a_failed_command_is_aborted():
    assert kinds(find_aborted({2}, {1, 2}, GOOD)) == ["aborted"]


def test_an_event_that_nobody_asked_for_is_aborted():
    assert kinds(find_aborted(set(), {1}, GOOD)) == ["aborted"]


def test_an_event_that_had_its_effect_twice_is_a_duplicate():
    [finding] = find_duplicated([*EFFECTS, applied(2, offset=2)])
    assert (finding.kind, finding.count) == ("duplicated effect", 1)


def test_two_events_at_one_place_diverge():
    assert kinds(find_divergent([record(1), record(2, offset=0)], [])) == ["divergent"]


def test_a_consumer_that_read_something_else_than_the_log_holds_diverges():
    assert kinds(find_divergent([record(1)], [applied(2, offset=0)])) == ["divergent"]


def test_an_event_sent_again_with_another_content_diverges():
    again = Record("t", 0, 5, "k", 1, "k-1", None, "another content")
    assert kinds(find_divergent([record(1), again], [])) == ["divergent"]


def test_a_lower_version_first_told_after_a_higher_one_is_an_inversion():
    assert kinds(find_inverted([record(1), record(3), record(2)], where="log")) == ["inverted in log"]


def test_order_is_kept_per_key_only():
    assert find_inverted([record(5), record(1, key="other")], where="log") == []


def test_a_missing_version_is_a_gap():
    [finding] = find_gaps([record(1), record(3)], where="effects")
    assert finding.kind == "gap in effects"
    assert "k" in finding.example


def test_an_event_without_effect_is_unseen_and_an_effect_without_event_invented():
    assert kinds(find_unseen(GOOD, EFFECTS[:2])) == ["unseen"]
    assert kinds(find_unseen(GOOD[:2], EFFECTS)) == ["invented"]


def test_periods_may_touch_and_not_overlap():
    assert find_overlapping([Period("a", 0, 1), Period("a", 1, None), Period("b", 0, None)]) == []
    assert kinds(find_overlapping([Period("a", 0, 2), Period("a", 1, None)])) == ["overlapping"]
    assert kinds(find_overlapping([Period("a", 0, None), Period("a", 1, 2)])) == ["overlapping"]


SPANS = {1: Span("k", 0.0, 1.0), 2: Span("k", 2.0, 3.0), 3: Span("k", 4.0, None)}
VERSIONS = {1: 1, 2: 2, 3: 3}


def test_a_read_sees_what_was_acknowledged_before_it_or_what_is_under_way():
    reads = [Read("k", 1, 1.5, 1.6), Read("k", 1, 2.5, 2.6), Read("k", 2, 2.5, 2.6), Read("k", 3, 4.1, 4.2)]
    assert find_stale(reads, SPANS, VERSIONS) == []


def test_a_read_of_what_was_overwritten_before_it_is_stale():
    assert kinds(find_stale([Read("k", 1, 3.5, 3.6)], SPANS, VERSIONS)) == ["stale read"]


def test_a_read_from_the_future_is_found():
    assert kinds(find_stale([Read("k", 2, 0.5, 0.6)], SPANS, VERSIONS)) == ["stale read"]


def test_a_history_is_kept_line_by_line_in_the_order_of_time(tmp_path: Path):
    history = History()
    history.add(0, "invoke", "import", "K-1", 7)
    history.add(0, "info", "import", "K-1", 7, note="reset")
    history.write(tmp_path / "history.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [line["type"] for line in lines] == ["invoke", "info"]
    assert lines[0]["t"] <= lines[1]["t"]
