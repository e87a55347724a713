-- Debezium reads the log and deletes nothing, so something else must: run this every few minutes. What was inserted
-- is in the log, whether or not its row is still there; only a new snapshot looks at the rows themselves.
DELETE FROM assignment.outbox WHERE created_at < now() - interval '1 hour';
DELETE FROM metrics.outbox WHERE created_at < now() - interval '1 hour';
DELETE FROM collab.outbox WHERE created_at < now() - interval '1 hour';
