"""The state of accounts as it was last announced, from the table that keeps it."""

from shared.contracts.metrics import ACCOUNT_STATE, AccountState
from shared.contracts.money import DECIMALS, USUAL_DECIMALS
from shared.db.states import StateTopic

_DECIMALS = " ".join(f"WHEN '{currency}' THEN {decimals}" for currency, decimals in DECIMALS.items())
_MAJOR = "CAST(round(CAST(f.entry ->> {at} AS numeric) / power(CAST(10 AS numeric), d.n), d.n) AS text)"

# Numbered by the topic itself: an account's figures change with facts, not with events of its own.
ACCOUNT_FIGURES = StateTopic(
    AccountState,
    ACCOUNT_STATE,
    f"""
    SELECT jsonb_build_object(
        'account_id', a.account_id, 'as_of', a.as_of, 'figures', coalesce(
            (SELECT jsonb_agg(jsonb_build_object(
                'currency', f.entry ->> 0,
                'trailing_revenue', {_MAJOR.format(at=1)},
                'open_pipeline', {_MAJOR.format(at=2)}
             ) ORDER BY f.entry ->> 0)
             FROM jsonb_array_elements(a.figures) AS f (entry)
             CROSS JOIN LATERAL (SELECT CASE f.entry ->> 0 {_DECIMALS} ELSE {USUAL_DECIMALS} END) AS d (n)),
            '[]')
    ) AS payload
    FROM account_states a WHERE a.account_id = CAST(k.key AS uuid)
    """,
)
