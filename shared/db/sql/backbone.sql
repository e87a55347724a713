-- The backbone's tables, one copy per service schema. Column names of outbox are Debezium's, so that an
-- operator may run its outbox event router instead of our relay.

CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) CONSTRAINT pk_outbox PRIMARY KEY,
    id uuid NOT NULL DEFAULT uuidv7(),
    aggregatetype varchar(255) NOT NULL,
    aggregateid varchar(255) NOT NULL,
    type varchar(255) NOT NULL,
    payload jsonb,
    source varchar(255) NOT NULL,
    dataschema varchar(255),
    headers jsonb NOT NULL DEFAULT '{}',
    aggregateversion bigint NOT NULL,
    bucket smallint GENERATED ALWAYS AS ((hashtextextended(aggregateid, 0) & 15)::smallint) STORED,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT uq_outbox_aggregateversion UNIQUE (aggregatetype, aggregateid, aggregateversion),
    -- Kafka takes 1 MiB. A dead letter carries its bytes in base64, a third longer than what is sent.
    CONSTRAINT ck_outbox_payload CHECK (
        octet_length(payload::text) <= 900000 OR type = 'bailiwick.dead-letter.v1'
    )
);
CREATE INDEX ix_outbox_bucket_seq ON outbox (bucket, seq);
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0
);

-- The last event number of every aggregate. Its row is the lock that makes seq order commit order per key.
CREATE TABLE aggregate_versions (
    aggregatetype varchar(255) NOT NULL,
    aggregateid varchar(255) NOT NULL,
    last_version bigint NOT NULL,
    CONSTRAINT pk_aggregate_versions PRIMARY KEY (aggregatetype, aggregateid)
) WITH (fillfactor = 80);

CREATE TABLE consumer_offsets (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition int NOT NULL,
    next_offset bigint NOT NULL,
    CONSTRAINT pk_consumer_offsets PRIMARY KEY (consumer, topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE consumer_watermarks (
    consumer text NOT NULL,
    topic text NOT NULL,
    aggregateid varchar(255) NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_consumer_watermarks PRIMARY KEY (consumer, topic, aggregateid)
) WITH (fillfactor = 80);

-- A key whose event could not be applied, and what queues behind it in order.
CREATE TABLE parked_keys (
    consumer text NOT NULL,
    topic text NOT NULL,
    aggregateid varchar(255) NOT NULL,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL,
    CONSTRAINT pk_parked_keys PRIMARY KEY (consumer, topic, aggregateid)
);
CREATE TABLE parked_records (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition int NOT NULL,
    record_offset bigint NOT NULL,
    aggregateid varchar(255) NOT NULL,
    version bigint,
    record_key bytea,
    record_value bytea,
    record_headers jsonb NOT NULL,
    error text,
    parked_at timestamptz NOT NULL,
    CONSTRAINT pk_parked_records PRIMARY KEY (consumer, topic, partition, record_offset)
);
CREATE INDEX ix_parked_records_key ON parked_records (consumer, topic, aggregateid, version);

CREATE TABLE idempotency_keys (
    principal text NOT NULL,
    route text NOT NULL,
    key varchar(255) NOT NULL,
    fingerprint bytea NOT NULL,
    status int,
    headers jsonb,
    response bytea,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (principal, route, key)
);
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);

-- Who changed what over HTTP: one row per committed command, in its transaction. Of the request body only a
-- digest, since the body may hold personal data. The id is made of the moment: ranges of time are ranges of ids.
CREATE TABLE audit_entries (
    audit_id uuid CONSTRAINT pk_audit_entries PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    roles text[] NOT NULL,
    scope jsonb NOT NULL,
    method text NOT NULL,
    route text NOT NULL,
    path_parameters jsonb NOT NULL,
    operation text NOT NULL,
    status smallint NOT NULL,
    location text,
    correlation_id text NOT NULL,
    idempotency_key text,
    body_sha256 bytea
);
CREATE INDEX ix_audit_entries_actor ON audit_entries (actor, audit_id);
CREATE INDEX ix_audit_entries_operation ON audit_entries (operation, audit_id);
-- Append-only for the processes; the owner may put old entries away.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_entries FROM :app;
