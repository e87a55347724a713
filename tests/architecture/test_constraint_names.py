"""What a migrated database calls its constraints and indexes: the kind, the table, and what it is about."""

import asyncpg
import pytest

from tests.architecture.source import SERVICES
from tests.conftest import NewDatabase

# Alembic names its own table's key, pgqueuer what its queries look for, and partitions inherit theirs. NOT NULL (`n`) tells its column anyway.
_MISNAMED = r"""
WITH named AS (
    SELECT conrelid::regclass::text AS owner, conname AS name, CASE contype
        WHEN 'p' THEN format('^pk_%s$', t.relname)
        WHEN 'u' THEN format('^uq_%s_\w+$', t.relname)
        WHEN 'c' THEN format('^ck_%s_\w+$', t.relname)
        WHEN 'f' THEN format('^fk_%s_\w+_%s$', t.relname, (SELECT relname FROM pg_class WHERE oid = confrelid))
        WHEN 'x' THEN format('^ex_%s_\w+$', t.relname)
    END AS rule
    FROM pg_constraint JOIN pg_class AS t ON t.oid = conrelid
    WHERE connamespace = to_regnamespace($1) AND contype <> 'n' AND NOT t.relispartition
    UNION ALL
    SELECT indrelid::regclass::text, i.relname,
        format('^%s_%s_\w+$', CASE WHEN indisunique THEN 'uq' ELSE 'ix' END, t.relname)
    FROM pg_index JOIN pg_class AS i ON i.oid = indexrelid JOIN pg_class AS t ON t.oid = indrelid
    WHERE t.relnamespace = to_regnamespace($1) AND NOT t.relispartition
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
)
SELECT owner, name, rule FROM named
WHERE owner NOT LIKE '%alembic_version' AND owner !~ '(^|\.)pgqueuer' AND name !~ coalesce(rule, '^$') ORDER BY 1, 2
"""


@pytest.mark.parametrize("service", SERVICES)
async def test_constraints_and_indexes_are_named_by_kind_and_table(
    service_database: NewDatabase, service: str
):
    """An error tells a constraint by its name alone: it should lead to the table and the rule."""
    database = await service_database(service)
    connection = await asyncpg.connect(database.owner_url)
    try:
        misnamed = [tuple(row) for row in await connection.fetch(_MISNAMED, service)]
    finally:
        await connection.close()
    assert misnamed == []
