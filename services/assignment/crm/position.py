"""Accounts have a whole position or none, and HubSpot tells latitude and longitude in events of their own. Pure.

Half a position waits for its other half beside the account.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from services.assignment.accounts.account import AccountDetails
from services.assignment.imports.cells import read_degrees
from services.assignment.imports.import_file import read_account

Axis = Literal["latitude", "longitude"]
LIMITS: Mapping[Axis, int] = MappingProxyType({"latitude": 90, "longitude": 180})


@dataclass(frozen=True, slots=True)
class Half:
    """One of the two, in degrees."""

    axis: Axis
    degrees: float


def lay_over(
    known: Mapping[str, Any], waiting: Half | None, told: Mapping[str, Any]
) -> tuple[AccountDetails, Half | None]:
    """Return the account with what is told over what is known, and the half of a position that waits from now on.

    Whoever tells both tells a whole position or none. Raises Misfit.
    """
    if told.keys() >= LIMITS.keys():
        return read_account({**known, **told}), None
    fields = {**known, **_waiting(known, waiting), **told}
    halves = [
        Half(axis, degrees)
        for axis, limit in LIMITS.items()
        if (degrees := read_degrees(fields, axis, limit=limit)) is not None
    ]
    if len(halves) != 1:
        return read_account(fields), None
    return read_account({**fields, "latitude": None, "longitude": None}), halves[0]


def _waiting(known: Mapping[str, Any], half: Half | None) -> dict[str, Any]:
    # A position that came meanwhile, from a file perhaps, is whole.
    return {} if half is None or known.get("latitude") is not None else {half.axis: half.degrees}
