"""Tables like the live ones, in a schema beside: same columns, constraints, indexes, settings and rights.

The schema comes before the live one on the builder's search path, so that handlers, which name tables without a
schema, write there; position, versions, parked keys and outbox of the build are there, too, and the live ones stay
untouched. Names of indexes and constraints are those of the live ones: the swap only moves tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.operations.refusals import Refused

# What a consumer's transaction writes besides its projection.
PROGRESS = (
    *("consumer_offsets", "consumer_watermarks", "parked_keys", "parked_records"),
    *("outbox", "aggregate_versions"),
)

_LEFT_OVER = text("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = :schema")
_SCHEMA = text("SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = :schema")
# A table with one of these is not told by its columns and indexes alone.
_OBSTACLES = text("""
SELECT obstacle FROM pg_class AS c CROSS JOIN LATERAL (VALUES
    ('it is no ordinary table', c.relkind <> 'r' OR c.relispartition OR c.relhassubclass),
    ('it belongs to another role', c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)),
    ('it has row security', c.relrowsecurity),
    ('it has triggers', EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)),
    ('it has foreign keys', EXISTS (
        SELECT FROM pg_constraint WHERE contype = 'f' AND c.oid IN (conrelid, confrelid))),
    ('it draws numbers from a sequence', EXISTS (
        SELECT FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
        WHERE a.attrelid = c.oid AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(%'))),
    ('it has rights on single columns', EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL)),
    ('a materialized view reads it', EXISTS (
        SELECT FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid
        JOIN pg_class AS v ON v.oid = r.ev_class
        WHERE d.refobjid = c.oid AND d.classid = 'pg_rewrite'::regclass AND v.relkind <> 'v'))
) AS o (obstacle, stands)
WHERE c.oid = to_regclass(:table) AND o.stands
""")
# Statements that make the table and then all that LIKE leaves out or would rename.
_DEFINITION = text("""
SELECT format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)%s', CAST(:shadow AS text),
              CAST(:table AS text), ' WITH (' || array_to_string(c.reloptions, ', ') || ')') AS statement, 0 AS step
FROM pg_class AS c WHERE c.oid = to_regclass(:table)
UNION ALL
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', CAST(:shadow AS text), conname, pg_get_constraintdef(oid)), 1
FROM pg_constraint WHERE conrelid = to_regclass(:table) AND contype IN ('p', 'u', 'x')
UNION ALL
SELECT replace(pg_get_indexdef(i.indexrelid), ' ON ' || CAST(:table AS text) || ' ', ' ON ' || CAST(:shadow AS text) || ' '), 2
FROM pg_index AS i WHERE i.indrelid = to_regclass(:table)
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x'))
UNION ALL
SELECT format('GRANT %s ON %s TO %s', g.privilege_type, CAST(:shadow AS text),
              CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END), 3
FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS g
WHERE c.oid = to_regclass(:table) AND g.grantee <> c.relowner
ORDER BY step
""")


@dataclass(frozen=True, slots=True)
class Schemas:
    """Where a service's tables are, and where they are built anew."""

    live: str

    @property
    def shadow(self) -> str:
        """Return the schema of deploy/postgres/roles.sql that is empty at other times."""
        return f"{self.live}_rebuild"

    @property
    def search_path(self) -> str:
        """Return where the builder looks for tables, in this order."""
        return f"{self.shadow},{self.live}"


async def require_schema(connection: AsyncConnection, schemas: Schemas) -> None:
    """Refuse to build where there is no place for it. Raises Refused."""
    if not (await connection.execute(_SCHEMA, {"schema": schemas.shadow})).scalar():
        raise Refused(
            f"The schema {schemas.shadow} is missing, or belongs to another role: run "
            "deploy/postgres/roles.sql again, then retry."
        )


async def require_movable(connection: AsyncConnection, schemas: Schemas, tables: Sequence[str]) -> None:
    """Refuse tables that are more than columns, constraints and indexes. Raises Refused."""
    for table in tables:
        found = await connection.execute(_OBSTACLES, {"table": f"{schemas.live}.{table}"})
        if obstacles := list(found.scalars()):
            raise Refused(
                f"{schemas.live}.{table} cannot be replaced by another table: {'; '.join(obstacles)}."
            )


async def clear(connection: AsyncConnection, schemas: Schemas) -> None:
    """Drop what an earlier build left behind."""
    left = (await connection.execute(_LEFT_OVER, {"schema": schemas.shadow})).scalars().all()
    if left:
        names = ", ".join(f"{schemas.shadow}.{table}" for table in left)
        await connection.execute(text(f"DROP TABLE {names}"))


async def create(connection: AsyncConnection, schemas: Schemas, tables: Sequence[str]) -> None:
    """Make the empty tables of a build."""
    for table in PROGRESS:
        await connection.execute(
            text(f"CREATE TABLE {schemas.shadow}.{table} (LIKE {schemas.live}.{table} INCLUDING ALL)")
        )
    for table in tables:
        names = {"table": f"{schemas.live}.{table}", "shadow": f"{schemas.shadow}.{table}"}
        for statement in (await connection.execute(_DEFINITION, names)).scalars().all():
            # As it is: what looks like a parameter is part of the definition.
            await connection.exec_driver_sql(statement)
