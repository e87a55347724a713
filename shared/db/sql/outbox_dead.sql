-- Rows that Kafka refuses for good, moved here by an operator: bailiwick events outbox quarantine.

CREATE TABLE outbox_dead (
    seq bigint CONSTRAINT pk_outbox_dead PRIMARY KEY,
    id uuid NOT NULL,
    aggregatetype varchar(255) NOT NULL,
    aggregateid varchar(255) NOT NULL,
    type varchar(255) NOT NULL,
    payload jsonb,
    source varchar(255) NOT NULL,
    dataschema varchar(255),
    headers jsonb NOT NULL,
    aggregateversion bigint NOT NULL,
    created_at timestamptz NOT NULL,
    reason text NOT NULL,
    -- Whether the key's later rows wait in the outbox for this one. False once an operator accepted the gap.
    holds_key boolean NOT NULL,
    quarantined_at timestamptz NOT NULL,
    quarantined_by text NOT NULL
);
CREATE INDEX ix_outbox_dead_holding ON outbox_dead (aggregateid) WHERE holds_key;
