"""Who sends which bucket: session advisory locks, which die with the connection and with nothing else."""

import math
from collections.abc import Sequence
from typing import Any

import asyncpg

BUCKETS = 16
_PRESENCE = 1000
# A frozen owner loses its session, and with it its buckets, after this long.
IDLE_SESSION_SECONDS = 15
HEARTBEAT_SECONDS = 3.0

_TAKE = "SELECT pg_try_advisory_lock(hashtext($1), $2)"
_RELEASE = "SELECT pg_advisory_unlock(hashtext($1), $2)"
_BE_PRESENT = "SELECT pg_advisory_lock_shared(hashtext($1), $2)"
_COUNT_PRESENT = """
SELECT count(DISTINCT pid) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND objid::bigint = $2
  AND classid::bigint = hashtext($1)::bigint & 4294967295
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def connect_directly(url: str, *, schema: str, application_name: str) -> Any:
    """Open a session of one's own; never through a pooler in transaction mode, which would lend out the locks."""
    return await asyncpg.connect(
        url,
        timeout=5,
        command_timeout=30,
        server_settings={
            "application_name": application_name,
            "search_path": f"{schema},public",
            "timezone": "UTC",
            "jit": "off",
            "statement_timeout": "20s",
            "idle_session_timeout": f"{IDLE_SESSION_SECONDS}s",
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "3",
            "tcp_keepalives_count": "3",
        },
    )


class Leases:
    """The buckets one session owns, a fair share of all."""

    def __init__(self, connection: Any, *, name: str) -> None:
        self._connection = connection
        self._name = name
        self.owned: list[int] = []

    async def announce(self) -> None:
        """Be counted among those who share the buckets."""
        await self._connection.execute(_BE_PRESENT, self._name, _PRESENCE)

    async def balance(self) -> None:
        """Take free buckets up to a fair share, and let go of what is beyond it.

        To be called between batches only: a bucket let go of may have a new owner at once.
        """
        share = fair_share(await self._connection.fetchval(_COUNT_PRESENT, self._name, _PRESENCE))
        while len(self.owned) > share:
            await self._connection.execute(_RELEASE, self._name, self.owned.pop())
        for bucket in buckets_to_try(self._connection.get_server_pid(), self.owned):
            if len(self.owned) >= share:
                return
            if await self._connection.fetchval(_TAKE, self._name, bucket):
                self.owned.append(bucket)


def fair_share(members: int) -> int:
    """Return how many buckets a session may own when so many share them."""
    return math.ceil(BUCKETS / max(1, members))


def buckets_to_try(session: int, owned: Sequence[int]) -> list[int]:
    """Return the buckets not owned; each session begins elsewhere, so that not all knock at the same door."""
    around = ((session + step) % BUCKETS for step in range(BUCKETS))
    return [bucket for bucket in around if bucket not in owned]
