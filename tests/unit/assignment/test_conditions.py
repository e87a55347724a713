"""What is wrong with a condition is found when it is saved, each mistake with its place."""

from typing import Any

import pytest

from services.assignment.rules.condition import MAX_NESTING, MAX_VALUES
from services.assignment.rules.condition_reader import ConditionReader


def _problems(raw: object) -> list[tuple[str, str]]:
    reader = ConditionReader()
    assert (reader.read(raw, "/c") is None) == bool(reader.problems)
    return reader.problems


def _leaf(field: str = "county", op: str = "eq", value: Any = "01001", **more: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value, **more}


@pytest.mark.parametrize(
    ("raw", "pointer", "words"),
    [
        (None, "/c", "an object"),
        ([], "/c", "an object"),
        ({}, "/c/field", "one of"),
        (_leaf("size"), "/c/field", "one of"),
        (_leaf(op="like"), "/c/op", "for county, one of"),
        (_leaf(op="between"), "/c/op", "for county"),
        (_leaf("employees", "starts_with", "1"), "/c/op", "for employees"),
        (_leaf(op=["eq"]), "/c/op", "one of"),
        (_leaf(more=1), "/c/more", "unknown here"),
        ({"all": [_leaf()], "any": [_leaf()]}, "/c/any", "unknown here"),
        (_leaf(**{"a/b~c": 1}), "/c/a~1b~0c", "unknown here"),
        (_leaf(value=1001), "/c/value", "leading zeros"),
        (_leaf(value="1001"), "/c/value", "five-digit"),
        (_leaf(value="\u0661\u0662\u0663\u0664\u0665"), "/c/value", "five-digit"),
        (_leaf(value=None), "/c/value", "text in quotes"),
        (_leaf(value=""), "/c/value", "is_missing"),
        (_leaf("industry", value="x" * 201), "/c/value", "1 to 200"),
        (_leaf("industry", value="a\x00"), "/c/value", "control characters"),
        (_leaf("industry", value="\ud800"), "/c/value", "surrogate"),
        (_leaf(op="in", value=["01001", "\udfff"]), "/c/value/1", "surrogate"),
        (_leaf(**{"\ud800": 1}), "/c", "surrogate"),
        (_leaf(**{"a\x00": 1}), "/c", "control characters"),
        (_leaf("state", value="tx"), "/c/value", "capital"),
        (_leaf("employees", value="12"), "/c/value", "not in quotes"),
        (_leaf("employees", value=True), "/c/value", "whole number"),
        (_leaf("employees", value=1.0), "/c/value", "whole number"),
        (_leaf("employees", value=-1), "/c/value", "whole number"),
        (_leaf("employees", value=2**31), "/c/value", "whole number"),
        (_leaf(op="in", value="01001"), "/c/value", "a list"),
        (_leaf(op="in", value=[]), "/c/value", "at least one"),
        (_leaf(op="in", value=["01001", 1]), "/c/value/1", "text in quotes"),
        (_leaf("employees", "between", [1]), "/c/value", "two numbers"),
        (_leaf("employees", "between", [1, "2"]), "/c/value/1", "whole number"),
        (_leaf("employees", "between", [2, 1]), "/c/value", "lowest number comes first"),
        (_leaf(op="is_missing", value="yes"), "/c/value", "true"),
        ({"all": []}, "/c/all", "at least one"),
        ({"any": _leaf()}, "/c/any", "a list"),
    ],
)
def test_each_mistake_is_named_with_its_place(raw: object, pointer: str, words: str) -> None:
    ((where, what),) = _problems(raw)
    assert where == pointer
    assert words in what


def test_all_mistakes_are_found_in_one_go() -> None:
    found = _problems({"all": [_leaf(value=1), {"any": [_leaf("x"), _leaf()]}, _leaf(op="?")]})
    assert [where for where, _ in found] == ["/c/all/0/value", "/c/all/1/any/0/field", "/c/all/2/op"]


def test_nesting_and_size_have_limits() -> None:
    raw: dict[str, Any] = _leaf()
    for _ in range(MAX_NESTING - 1):
        raw = {"all": [raw]}
    assert _problems(raw) == []
    assert "nesting" in _problems({"all": [raw]})[0][1]
    values = [f"{number:05d}" for number in range(MAX_VALUES)]
    assert _problems(_leaf(op="in", value=values)) == []
    assert "split" in _problems({"any": [_leaf(op="in", value=values), _leaf()]})[0][1]


def test_a_prefix_may_be_shorter_than_the_whole() -> None:
    assert _problems(_leaf(op="starts_with", value="01")) == []
