"""notes/page-of-account: an account's notes for a rep who sees one territory, among 300,000 notes, through HTTP."""

from uuid import UUID, uuid4

import asyncpg

from shared.db.transact import Transactor
from shared.runtime.clock import SystemClock
from tests.bench.beside import beside
from tests.bench.handoffs_bench import NORTH, aligned, feed, go_live
from tests.bench.load import Call
from tests.bench.report import Result
from tests.bench.stage import Stage

ACCOUNTS, NOTES_EACH = 100_000, 3
_FOUND = """
WITH written AS (
    INSERT INTO collab.notes (note_id, subject_type, subject_id, account_id, author, written_at)
    SELECT uuidv7(), 'account', id, id, 'rep', now()
    FROM unnest($1::uuid[]) AS u (id), generate_series(1, $2)
    RETURNING note_id, written_at
)
INSERT INTO collab.note_revisions (note_id, revision, body, written_by, written_at)
SELECT note_id, 1, 'They renew in March; ask for the new contact by then.', 'rep', written_at FROM written
"""


def _page(account: UUID) -> str:
    return f"""
    SELECT n.note_id, n.author, n.written_at, r.body FROM notes n JOIN note_revisions r USING (note_id)
    WHERE n.account_id = '{account}' AND n.deleted_at IS NULL ORDER BY n.note_id LIMIT 51
    """


async def run(stage: Stage) -> list[Result]:
    """Measure pages per second at 16 connections."""
    database = await stage.databases.for_service("collab")
    engine = database.build_engine()
    transact = Transactor(engine, SystemClock(), "/bench/collab")
    accounts = [uuid4() for _ in range(ACCOUNTS)]
    await go_live(transact)
    await feed(transact, [aligned(account, None, NORTH) for account in accounts], version=1)
    await engine.dispose()
    raw = await asyncpg.connect(database.admin_url)
    for start in range(0, ACCOUNTS, 10_000):
        await raw.execute(_FOUND, accounts[start : start + 10_000], NOTES_EACH)
    await raw.execute("VACUUM ANALYZE")
    await raw.close()
    account = accounts[ACCOUNTS // 2]
    async with beside(database, _page(account)) as both:
        bearer = both.issuer.headers("viewer", territories=[NORTH])
        path = f"/v1/notes?subject_type=account&subject_id={account}"
        found = (await both.http.get(path, headers=bearer)).raise_for_status().json()
        if len(found["items"]) != NOTES_EACH:
            raise RuntimeError(f"{len(found['items'])} notes")
        call = Call("GET", path, bearer)
        return [await both.compare("notes", "page-of-account", call, floor=Call("GET", "/rows", {}))]
