"""What is counted of a fact, and the SQL that counts it.

Every statement that changes the roll-ups yields signed deltas of these measures: plus the new, minus the old.
All are integers (money in minor units), so sums are exact in whatever order they are made.
"""

from enum import IntEnum

MEASURES = (
    "revenue_minor",
    "orders",
    "leads",
    "opportunities",
    "open_minor",
    "won",
    "won_minor",
    "lost",
    "lost_minor",
    "spend_minor",
    "facts",
)


class RollupView(IntEnum):
    """Whose a fact is: who held the account when it happened, or who holds it now."""

    AS_WAS = 1
    AS_IS = 2


NAMES = ", ".join(MEASURES)
SUMS = ", ".join(f"isum({name}) AS {name}" for name in MEASURES)
ANY_CHANGE = " OR ".join(f"isum({name}) <> 0" for name in MEASURES)


def measures_of(fact: str, *, sign: str) -> str:
    """Return SQL columns: the measures of the fact row with this alias, times a sign."""
    counted = {
        "revenue_minor": f"CASE WHEN {fact}.kind = 'order' THEN {fact}.amount_minor ELSE 0 END",
        "orders": f"({fact}.kind = 'order')::int",
        "leads": f"({fact}.kind = 'lead')::int",
        "opportunities": f"({fact}.kind = 'opportunity')::int",
        "open_minor": f"CASE WHEN {fact}.stage = 'open' THEN {fact}.amount_minor ELSE 0 END",
        "won": f"coalesce({fact}.stage = 'won', false)::int",
        "won_minor": f"CASE WHEN {fact}.stage = 'won' THEN {fact}.amount_minor ELSE 0 END",
        "lost": f"coalesce({fact}.stage = 'lost', false)::int",
        "lost_minor": f"CASE WHEN {fact}.stage = 'lost' THEN {fact}.amount_minor ELSE 0 END",
        "spend_minor": f"CASE WHEN {fact}.kind = 'spend' THEN {fact}.amount_minor ELSE 0 END",
        "facts": "1",
    }
    return ", ".join(f"CAST({sign} * ({counted[name]}) AS bigint) AS {name}" for name in MEASURES)
