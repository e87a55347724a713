"""The verbs of partitions whose records are gone: which there are, and going on without them."""

import argparse

from shared.kafka.access import KafkaAccess
from shared.kafka.log import open_log
from shared.messaging.operations.desk import Desk
from shared.messaging.operations.partitions import Standing, find_stopped, require_stopped, resume


async def list_stopped(desk: Desk, options: argparse.Namespace) -> bool:  # noqa: ARG001 - verbs are called alike
    """Tell which partitions have not what their consumer reads next; False when any has not."""
    async with (
        open_log(KafkaAccess.from_settings(desk.settings), client_id=f"{desk.service}.partitions") as log,
        desk.engine.connect() as read,
    ):
        found = await find_stopped(read, log, desk.consumers)
    desk.answers.rows(
        [each.row() for each in found],
        title="Stopped partitions",
        nothing="Every partition has what its consumer reads next.",
    )
    return not found


async def resume_partition(desk: Desk, options: argparse.Namespace) -> bool:
    """Go on where the log does, and say what is lost by it."""
    subscription = desk.subscription(options.consumer, options.topic)
    async with (
        open_log(KafkaAccess.from_settings(desk.settings), client_id=f"{desk.service}.partitions") as log,
        desk.engine.connect() as read,
    ):
        standing = await require_stopped(read, log, options.consumer, subscription, options.partition)
    async with desk.change("partition resume", standing.row()) as uow:
        await resume(standing, uow)
    desk.answers.done({**standing.row(), "dry_run": desk.dry_run}, _sentence(desk, standing))
    return True


def _sentence(desk: Desk, standing: Standing) -> str:
    where = f"{standing.topic}[{standing.partition}]"
    told = (
        f"{where} ends at {standing.end}, before {standing.applied}: it is read again from {standing.begin}, "
        f"{standing.again} records; what it had beyond these is lost."
        if standing.lost is None
        else f"{where} is read from {standing.resumes_at}; the {standing.lost} records from {standing.applied} on are lost."
    )
    return (
        f"{desk.rehearsed}{told}" if desk.dry_run else f"{told} Restart the processes of {standing.consumer}."
    )
