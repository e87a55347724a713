"""What is counted of a fact, and the SQL that counts it. Pure.

Every statement that changes the roll-ups yields signed deltas of these figures: plus the new, minus the old.
All are integers (money in minor units), so sums are exact in whatever order they are made.
"""

_COUNTED = {
    "revenue_minor": "CASE WHEN {fact}.kind = 'order' THEN {fact}.amount_minor ELSE 0 END",
    "orders": "({fact}.kind = 'order')::int",
    "leads": "({fact}.kind = 'lead')::int",
    "opportunities": "({fact}.kind = 'opportunity')::int",
    "open_minor": "CASE WHEN {fact}.stage = 'open' THEN {fact}.amount_minor ELSE 0 END",
    "won": "coalesce({fact}.stage = 'won', false)::int",
    "won_minor": "CASE WHEN {fact}.stage = 'won' THEN {fact}.amount_minor ELSE 0 END",
    "lost": "coalesce({fact}.stage = 'lost', false)::int",
    "lost_minor": "CASE WHEN {fact}.stage = 'lost' THEN {fact}.amount_minor ELSE 0 END",
    "spend_minor": "CASE WHEN {fact}.kind = 'spend' THEN {fact}.amount_minor ELSE 0 END",
    "paid_spend_minor": "CASE WHEN {fact}.kind = 'spend' AND {fact}.paid THEN {fact}.amount_minor ELSE 0 END",
    "refunds": "({fact}.kind = 'refund')::int",
    "refunded_minor": "CASE WHEN {fact}.kind = 'refund' THEN {fact}.amount_minor ELSE 0 END",
    "deals": "({fact}.kind = 'deal')::int",
    "dealt_minor": "CASE WHEN {fact}.kind = 'deal' THEN {fact}.amount_minor ELSE 0 END",
    "new_customers": "{fact}.first_order::int",
    "paid_new_customers": "{fact}.paid_origin::int",
    "converted_7": "coalesce({fact}.converted_after < 7, false)::int",
    "converted_30": "coalesce({fact}.converted_after < 30, false)::int",
    "converted_90": "coalesce({fact}.converted_after < 90, false)::int",
    "facts": "1",
}
COUNTED_COLUMNS = (
    "account_id", "occurred_at", "day", "kind", "stage", "amount_minor", "currency",
    "paid", "first_order", "paid_origin", "converted_after",
)  # fmt: skip
"""The columns of a fact that decide what is counted, where and when."""

FIGURES = tuple(_COUNTED)
NAMES = ", ".join(FIGURES)
SUMS = ", ".join(f"isum({name}) AS {name}" for name in FIGURES)
ANY_CHANGE = " OR ".join(f"isum({name}) <> 0" for name in FIGURES)


def figures_of(fact: str, *, sign: str) -> str:
    """Return SQL columns: the figures of the fact row with this alias, times a sign."""
    return ", ".join(
        f"CAST({sign} * ({sql.format(fact=fact)}) AS bigint) AS {name}" for name, sql in _COUNTED.items()
    )


def signed_figures(row: str, *, sign: str) -> str:
    """Return SQL columns: the figures that the row with this alias already has, times a sign."""
    return ", ".join(f"{sign} * {row}.{name} AS {name}" for name in FIGURES)
