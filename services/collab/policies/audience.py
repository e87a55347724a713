"""Whom the latest version of a policy concerns now, as SQL: reps by what they cover, never a list that ages."""

ASKED = """
SELECT p.policy_id, p.code, v.version, c.rep_id, c.territory_id
FROM policies AS p
CROSS JOIN LATERAL (
    SELECT w.* FROM policy_versions AS w WHERE w.policy_id = p.policy_id ORDER BY w.version DESC LIMIT 1
) AS v
JOIN coverages AS c ON c.valid_from <= :now AND (c.valid_to IS NULL OR c.valid_to > :now)
    AND (cardinality(v.roles) = 0 OR c.role = ANY (v.roles))
    AND (v.territory_id IS NULL OR c.territory_id IN (
        SELECT below.territory_id FROM live_closure AS below WHERE below.ancestor_id = v.territory_id
    ))
"""
"""A row for each rep and each territory through which they are concerned; binds `now`."""

UNACKNOWLEDGED = """
NOT EXISTS (
    SELECT 1 FROM acknowledgements AS given WHERE given.policy_id = asked.policy_id
      AND given.version = asked.version AND given.rep_id = asked.rep_id
)
"""
"""True for a row of `asked` whose rep has not acknowledged the version."""
