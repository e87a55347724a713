"""The verbs of state topics: which there are, and every state once more."""

import argparse

from shared.db.states import StateTopic
from shared.messaging.operations.desk import Desk
from shared.messaging.operations.refusals import Refused
from shared.messaging.operations.republish import Progress, count_entities, republish


async def list_states(desk: Desk, options: argparse.Namespace) -> bool:  # noqa: ARG001 - verbs are called alike
    """Tell which state topics the service writes."""
    rows = [
        {"topic": each.topic, "events": each.events, "entities": await count_entities(desk.engine, each)}
        for each in desk.states
    ]
    desk.answers.rows(rows, title="State topics", nothing="This service writes no states.")
    return True


async def republish_states(desk: Desk, options: argparse.Namespace) -> bool:
    """Put every state into the outbox once more. What was asked is in the audit before the first one is."""
    chosen = _require(desk, options.topic)
    total = await count_entities(desk.engine, chosen)
    async with desk.change("state republish", {"topic": chosen.topic}):
        pass
    done = Progress()
    if not desk.dry_run:
        with desk.answers.steps(total) as steps:
            async for progress in republish(desk.engine, chosen, source=desk.source):
                steps.say(chosen.topic, done=progress.entities - done.entities)
                done = progress
    told = {"topic": chosen.topic, "entities": total, "written": done.written, "dry_run": desk.dry_run}
    sentence = (
        f"{desk.rehearsed}{total} entities have had events."
        if desk.dry_run
        else f"Put {done.written} states of {done.entities} entities into the outbox; the others wait there already."
    )
    desk.answers.done(told, sentence)
    return True


def _require(desk: Desk, topic: str) -> StateTopic:
    for each in desk.states:
        if each.topic == topic:
            return each
    there = ", ".join(sorted(each.topic for each in desk.states)) or "none"
    raise Refused(f"topic: {desk.service} writes no states to {topic}; its state topics: {there}.")
