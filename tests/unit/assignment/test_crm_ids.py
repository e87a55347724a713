"""Ids of CRMs: a Salesforce record has one, whether it is written with 15 characters or with 18."""

import pytest

from services.assignment.crm.shapes import read_id


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),  # as Salesforce itself shows the pair
        ("001A0000006Vm9rIAC", "001A0000006Vm9rIAC"),
        ("000000000012345", "000000000012345"),
        (880_002, "880002"),
        ("acmecorporation", "acmecorporation"),
        ("001abcdefghijkl", "001abcdefghijklAAA"),
    ],
)
def test_a_record_has_one_id(written: object, read: str) -> None:
    assert read_id(written, "Id") == read
