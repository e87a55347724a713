"""Create the facts, what they replaced, and what contradicted them."""

from datetime import UTC, datetime

from alembic import op

from shared.db.migrations import split_statements

revision = "20261123_1000"
down_revision = "20261123_0930"
branch_labels = None
depends_on = None

# A year of keys per partition: old years can be detached whole, and fourteen tables still plan fast and
# clone fast. Keys from before and after lie in the default partition.
YEARS = range(2020, 2033)

# Every column has a bounded width, so that no partition needs a TOAST table.
_FACT = """
    revision int NOT NULL,
    source varchar(128) NOT NULL,
    kind varchar(11) NOT NULL CONSTRAINT ck_{table}_kind CHECK (kind IN ('lead', 'opportunity', 'order', 'spend')),
    external_id varchar(128) NOT NULL,
    stage varchar(4) CONSTRAINT ck_{table}_stage CHECK (stage IN ('open', 'won', 'lost')),
    account_id uuid,
    occurred_at timestamptz NOT NULL,
    day date NOT NULL,
    amount_minor bigint NOT NULL,
    currency varchar(3) NOT NULL,
    voided boolean NOT NULL,
    payload_hash uuid NOT NULL,
    recorded_at timestamptz NOT NULL
"""

_UPGRADE = f"""
CREATE TABLE facts (
    entity_key uuid NOT NULL,
    {_FACT.format(table="facts")},
    CONSTRAINT pk_facts PRIMARY KEY (entity_key)
) PARTITION BY RANGE (entity_key);
CREATE INDEX ix_facts_account_id_day ON facts (account_id, day);
-- Facts come in roughly by day: a few pages of index find the facts of one day.
CREATE INDEX ix_facts_day ON facts USING brin (day) WITH (autosummarize = on);

CREATE TABLE fact_history (
    entity_key uuid NOT NULL,
    {_FACT.format(table="fact_history")},
    replaced_at timestamptz NOT NULL,
    CONSTRAINT pk_fact_history PRIMARY KEY (entity_key, revision)
);

CREATE TABLE fact_conflicts (
    conflict_id uuid NOT NULL DEFAULT uuidv7(),
    entity_key uuid NOT NULL,
    {_FACT.format(table="fact_conflicts")},
    CONSTRAINT pk_fact_conflicts PRIMARY KEY (conflict_id),
    CONSTRAINT uq_fact_conflicts_entity_key_revision_payload_hash UNIQUE (entity_key, revision, payload_hash)
);
CREATE INDEX ix_fact_conflicts_account_id ON fact_conflicts (account_id);

-- sum(bigint) turns into numeric, which costs most of a large sum. This one stays an integer and refuses to
-- overflow, so it is exact.
CREATE AGGREGATE isum(bigint) (
    sfunc = int8pl, stype = bigint, combinefunc = int8pl, initcond = '0', parallel = safe
);
"""


def first_key_of(year: int) -> str:
    """Return the smallest entity key of a year: keys begin with 48 bits of Unix milliseconds."""
    unix_ms = int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000)
    digits = f"{unix_ms << 80:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(_UPGRADE):
        op.execute(statement)
    for year in YEARS:
        op.execute(
            f"CREATE TABLE facts_{year} PARTITION OF facts "
            f"FOR VALUES FROM ('{first_key_of(year)}') TO ('{first_key_of(year + 1)}')"
        )
    op.execute("CREATE TABLE facts_other PARTITION OF facts DEFAULT")


def downgrade() -> None:
    """Undo."""
    op.execute("DROP AGGREGATE isum(bigint)")
    for table in ("fact_conflicts", "fact_history", "facts"):
        op.execute(f"DROP TABLE {table}")
