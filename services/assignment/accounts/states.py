"""The state of accounts as subscribers get it: attributes, and where each belongs since when."""

from shared.contracts.assignment import ACCOUNTS, AlignedAccountState
from shared.db.states import StateTopic

# An open alignment may begin later than its account came to the territory: a change of the rule alone is no move and no
# event. One walk through the account's periods, since the index of ranges is slow to enter: the latest begin that
# follows another territory, or nothing.
_SINCE = """
SELECT max(stay.begun) FROM (
    SELECT lower(p.valid) AS begun, p.territory_id, lag(p.territory_id) OVER (ORDER BY lower(p.valid)) AS before
    FROM alignments p WHERE p.account_id = a.account_id
) AS stay WHERE stay.before IS DISTINCT FROM stay.territory_id
"""

ACCOUNT_STATE = StateTopic(
    AlignedAccountState,
    ACCOUNTS,
    f"""
    SELECT jsonb_build_object(
        'account_id', a.account_id, 'external_id', a.external_id, 'postal_code', a.postal_code,
        'county', a.county, 'state', a.state, 'industry', a.industry, 'employees', a.employees,
        'territory_id', o.territory_id,
        'valid_from', CASE WHEN o.territory_id IS NOT NULL THEN ({_SINCE}) END
    ) AS payload
    FROM accounts a LEFT JOIN open_alignments o ON o.account_id = a.account_id
    WHERE a.account_id = CAST(k.key AS uuid)
    """,
)
