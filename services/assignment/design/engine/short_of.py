"""The words for limits that do not hold; apart, so that who only tells them on loads no arrays."""

from enum import StrEnum


class ShortOf(StrEnum):
    """Which kind of limit does not hold; callers tell these words on, so they stay."""

    UNIT_TOO_LARGE = "unit-too-large"  # one alone is above what any territory may hold of a measure
    OUT_OF_TOLERANCE = "out-of-tolerance"  # no plan within the tolerance of a measure was found
    LEFT_ALONE = "left-alone"  # out of the tolerance of a measure, or in parts, as before, where a change is answered around it alone
    GROUPS_APART = (
        "groups-apart"  # what is kept together is in several territories, where somebody put it by hand
    )
    EMPTY = "empty-territories"
    IN_PARTS = "territories-in-parts"
    MOST_MOVED = "most-moved"  # more moves than may
    LEAST_UNITS = "least-units"  # fewer units than a territory is to have
    MOST_UNITS = "most-units"
