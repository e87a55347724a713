"""Create the fits of customer value and the values of accounts."""

from alembic import op

from shared.db.migrations import split_statements

revision = "20261124_0010"
down_revision = "20261123_1030"
branch_labels = None
depends_on = None

# A fit is its own queue row: asked for, taken for a while by a worker, made.
_UPGRADE = """
CREATE TABLE customer_value_fits (
    fit_id uuid NOT NULL,
    currency varchar(3) NOT NULL,
    state varchar(6) NOT NULL CONSTRAINT ck_customer_value_fits_state CHECK (state IN ('queued', 'made')),
    cut_off_on date NOT NULL,
    margin numeric(5, 4) NOT NULL,
    annual_discount_rate numeric(5, 4) NOT NULL,
    horizon_months int NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    taken_at timestamptz,
    made_at timestamptz,
    version int,
    level varchar(8) CONSTRAINT ck_customer_value_fits_level CHECK (level IN ('fitted', 'historic')),
    reason varchar(32),
    customers int,
    repeat_customers int,
    findings jsonb,
    models jsonb,
    input_digest varchar(64),
    CONSTRAINT pk_customer_value_fits PRIMARY KEY (fit_id),
    CONSTRAINT uq_customer_value_fits_version UNIQUE (currency, version),
    CONSTRAINT ck_customer_value_fits_made CHECK (
        (state = 'made') = (num_nulls(made_at, version, level, reason, customers, input_digest) = 0)
    )
);
-- One fit of a currency waits at a time: a second would say the same.
CREATE UNIQUE INDEX uq_customer_value_fits_queued ON customer_value_fits (currency) WHERE state = 'queued';

-- What accounts with orders are worth by the newest fit of each currency.
CREATE TABLE customer_values (
    account_id uuid NOT NULL,
    currency varchar(3) NOT NULL,
    fit_id uuid NOT NULL,
    level varchar(8) NOT NULL CONSTRAINT ck_customer_values_level CHECK (level IN ('fitted', 'historic')),
    reason varchar(32) NOT NULL,
    value_minor bigint NOT NULL,
    historic_minor bigint NOT NULL,
    purchases int NOT NULL,
    first_on date,
    last_on date,
    p_alive double precision,
    expected_purchases double precision,
    expected_spend_minor bigint,
    CONSTRAINT pk_customer_values PRIMARY KEY (account_id, currency),
    CONSTRAINT fk_customer_values_fit_id_customer_value_fits FOREIGN KEY (fit_id) REFERENCES customer_value_fits,
    CONSTRAINT ck_customer_values_forecast CHECK (
        (level = 'fitted') = (num_nulls(p_alive, expected_purchases, expected_spend_minor) = 0)
    )
);
CREATE INDEX ix_customer_values_currency ON customer_values (currency);
"""


def upgrade() -> None:
    """Apply."""
    for statement in split_statements(_UPGRADE):
        op.execute(statement)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP TABLE customer_values")
    op.execute("DROP TABLE customer_value_fits")
