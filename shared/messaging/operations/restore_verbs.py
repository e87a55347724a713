"""The verbs for a service whose database was restored to an earlier moment: what it forgot, and how it goes on."""

import argparse

from shared.kafka.access import KafkaAccess
from shared.kafka.log import open_log
from shared.messaging.operations.desk import Desk
from shared.messaging.operations.versions import (
    KeyBehind,
    counted_topics,
    find_behind,
    on_their_way,
    raise_numbers,
)


async def compare_versions(desk: Desk, options: argparse.Namespace) -> bool:  # noqa: ARG001 - verbs are called alike
    """Tell which keys are behind what was told of them; False when any is."""
    behind, retold = await _look(desk)
    desk.answers.rows(
        [key.row(retold) for key in behind],
        title="Behind what was told",
        nothing="The database knows all that its topics tell.",
    )
    return not behind


async def raise_versions(desk: Desk, options: argparse.Namespace) -> bool:  # noqa: ARG001
    """Number above what was told, and tell anew what readers took for repeats."""
    behind, _ = await _look(desk)
    async with desk.change("versions raise", _said_about(behind)) as uow:
        raised = await raise_numbers(behind, uow)
    would = "Dry run, nothing was changed: " if desk.dry_run else ""
    desk.answers.done(
        {"keys": raised.keys, "told_anew": raised.told_anew, "dry_run": desk.dry_run},
        f"{would}Raised {raised.keys} keys, {raised.told_anew} events are told anew.",
    )
    return True


async def _look(desk: Desk) -> tuple[list[KeyBehind], frozenset[str]]:
    async with (
        open_log(KafkaAccess.from_settings(desk.settings), client_id=f"{desk.service}.versions") as log,
        desk.engine.connect() as connection,
    ):
        # Of its own each: reading a long topic between two questions is no transaction to keep open.
        read = await connection.execution_options(isolation_level="AUTOCOMMIT")
        retold = await on_their_way(read)
        with desk.answers.steps(0) as steps:
            return await find_behind(read, log, steps, counted_topics(desk.service), retold), retold


def _said_about(behind: list[KeyBehind]) -> dict[str, object]:
    topics = sorted({key.topic for key in behind})
    return {topic: sum(key.topic == topic for key in behind) for topic in topics}
