-- What Debezium needs in the database, run by its administrator; the server needs wal_level = logical.
-- Inserts only: the deletes of the janitor are no events.
CREATE PUBLICATION bailiwick_assignment_outbox FOR TABLE assignment.outbox WITH (publish = 'insert');
CREATE PUBLICATION bailiwick_metrics_outbox FOR TABLE metrics.outbox WITH (publish = 'insert');
CREATE PUBLICATION bailiwick_collab_outbox FOR TABLE collab.outbox WITH (publish = 'insert');
