"""Whom a policy concerns now, as SQL: reps by what they cover, never a list that ages."""

STANDING = """
NOT EXISTS (
    SELECT 1 FROM policy_versions AS later WHERE later.policy_id = v.policy_id AND later.version > v.version
      AND later.effective_from <= greatest(v.effective_from, CAST(:now AS timestamptz))
)
"""
"""True for a version `v` that is in force or to come: none took its place, or takes it as soon as it would begin."""

ASKED = f"""
SELECT p.policy_id, p.code, v.version, c.rep_id, c.territory_id
FROM policies AS p
JOIN policy_versions AS v ON v.policy_id = p.policy_id AND {STANDING}
JOIN coverages AS c ON c.valid_from <= :now AND (c.valid_to IS NULL OR c.valid_to > :now)
    AND (cardinality(v.roles) = 0 OR c.role = ANY (v.roles))
    AND (v.territory_id IS NULL OR c.territory_id IN (
        SELECT below.territory_id FROM live_closure AS below WHERE below.ancestor_id = v.territory_id
    ))
"""
"""A row for each standing version, each rep and each territory through which it concerns them; binds `now`."""

UNACKNOWLEDGED = """
NOT EXISTS (
    SELECT 1 FROM acknowledgements AS given WHERE given.policy_id = asked.policy_id
      AND given.version = asked.version AND given.rep_id = asked.rep_id
)
"""
"""True for a row of `asked` whose rep has not acknowledged the version."""
