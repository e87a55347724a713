"""What the queue writes of a job that ended or is to be retried."""

# As the library's own statement, but by who has the job as well.
LOG = """
WITH told AS (
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::pgqueuer_status[], $4::jsonb[])
        AS t (id, queue_manager_id, status, traceback)
), gone AS (
    DELETE FROM pgqueuer AS j USING told
    WHERE j.id = told.id AND j.queue_manager_id = told.queue_manager_id AND told.status <> 'failed'
    RETURNING j.id, told.status, j.entrypoint, j.priority, told.traceback
), held AS (
    UPDATE pgqueuer AS j SET status = 'failed', updated = now(), queue_manager_id = NULL FROM told
    WHERE j.id = told.id AND j.queue_manager_id = told.queue_manager_id AND told.status = 'failed'
    RETURNING j.id, told.status, j.entrypoint, j.priority, told.traceback
)
INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority, traceback)
SELECT * FROM gone UNION ALL SELECT * FROM held
"""
RETRY = """
WITH retried AS (
    UPDATE pgqueuer SET
        status = 'queued', execute_after = now() + $3::interval, attempts = attempts + 1, updated = now(),
        queue_manager_id = NULL
    WHERE id = $1::bigint AND queue_manager_id = $2::uuid
    RETURNING id, entrypoint, priority
)
INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority, traceback)
SELECT id, 'queued', entrypoint, priority, $4::jsonb FROM retried
"""
