"""One function per verb: ask or change, then answer. Each tells whether nothing is left to look at."""

import argparse
from dataclasses import asdict
from typing import Any

from shared.db.unit_of_work import UnitOfWork
from shared.kafka.access import KafkaAccess
from shared.kafka.log import open_log
from shared.messaging.operations import lag, quarantine
from shared.messaging.operations.dead_letters import Freed, discard, list_parked, replay, show_parked
from shared.messaging.operations.desk import Desk
from shared.messaging.operations.freeing import free
from shared.messaging.operations.projections import list_projections, rebuild
from shared.messaging.operations.rebuild import require_projection
from shared.messaging.parking import ParkedRecord

Options = argparse.Namespace


async def list_dead_letters(desk: Desk, options: Options) -> bool:  # noqa: ARG001 - verbs are called alike
    """Tell which keys wait."""
    parked = await list_parked(desk.engine)
    desk.answers.rows([asdict(key) for key in parked], title="Parked keys", nothing="No key waits.")
    return True


async def show_dead_letters(desk: Desk, options: Options) -> bool:
    """Tell what a key's records hold."""
    found = await show_parked(desk.engine, **_names(options))
    if not found:
        # What a consumer left that this release has no more can be shown; nothing by a wrong name is no answer.
        desk.subscription(options.consumer, options.topic)
    desk.answers.rows(
        [_readable(each) for each in found], title=options.key, nothing=f"Nothing of {options.key} is parked."
    )
    return True


async def replay_dead_letters(desk: Desk, options: Options) -> bool:
    """Apply a key's records."""
    batches = desk.batches(options.consumer, options.topic)

    async def begin(uow: UnitOfWork) -> Freed:
        first = await replay(batches, options.key, uow)
        return Freed(replayed=first.records, more=first.more)

    found = await free(desk, "dlq replay", _names(options), begin=begin, batches=batches, key=options.key)
    desk.answers.done(
        {
            "key": options.key,
            "records": found.replayed,
            "refused": found.refused,
            "missing": found.missing,
            "dry_run": desk.dry_run,
        },
        f"{desk.rehearsed}Applied {found.replayed} records of {options.key}.{_rest(found)}",
    )
    return not found.waits


async def discard_dead_letters(desk: Desk, options: Options) -> bool:
    """Give up what blocks a key."""
    batches = desk.batches(options.consumer, options.topic)
    found = await free(
        desk,
        "dlq discard",
        _names(options) | ({} if options.reason is None else {"reason": options.reason}),
        begin=lambda uow: discard(batches, options.key, uow),
        batches=batches,
        key=options.key,
    )
    given_up = (
        f"{found.given_up} records"
        if found.never_came is None
        else f"versions {found.never_came}, which never came,"
    )
    desk.answers.done(
        {
            "key": options.key,
            "records": found.given_up,
            "versions": found.never_came,
            "replayed": found.replayed,
            "missing": found.missing,
            "refused": found.refused,
            "dry_run": desk.dry_run,
        },
        f"{desk.rehearsed}Gave up {given_up} of {options.key}, applied {found.replayed}.{_rest(found)}",
    )
    return not found.waits


async def list_outbox_rows(desk: Desk, options: Options) -> bool:
    """Tell what waits to be sent."""
    async with desk.engine.connect() as read:
        rows = await quarantine.list_outbox(read, limit=options.limit)
    desk.answers.rows([dict(row._mapping) for row in rows], title="Outbox", nothing="The outbox is empty.")  # noqa: SLF001
    return True


async def quarantine_row(desk: Desk, options: Options) -> bool:
    """Take a row out of the outbox."""
    told = {"seq": options.seq, "reason": options.reason, "allow_gap": options.allow_gap}
    async with desk.change("outbox quarantine", told) as uow:
        place = await quarantine.quarantine(
            options.seq, uow, reason=options.reason, allow_gap=options.allow_gap
        )
    then = "Later rows of the key wait for it." if place.holds_key else "Later rows of the key go on."
    return _answer_row(desk, options, place, f"Quarantined version {place.version} of {place.key}. {then}")


async def release_row(desk: Desk, options: Options) -> bool:
    """Put a row back, or let the later ones go without it."""
    settle = quarantine.accept_gap if options.allow_gap else quarantine.release
    async with desk.change("outbox release", {"seq": options.seq, "allow_gap": options.allow_gap}) as uow:
        place = await settle(options.seq, uow)
    what = (
        f"Later rows of {place.key} go on without version {place.version}."
        if options.allow_gap
        else f"Version {place.version} of {place.key} is back in the outbox."
    )
    return _answer_row(desk, options, place, what)


async def list_all_projections(desk: Desk, options: Options) -> bool:  # noqa: ARG001
    """Tell what can be built anew."""
    desk.answers.rows(list_projections(desk), title="Projections", nothing="This service reads nothing.")
    return True


async def rebuild_projection(desk: Desk, options: Options) -> bool:
    """Build a projection anew."""
    # Before anybody waits for a broker.
    require_projection(desk, options.consumer, options.topic)
    async with open_log(KafkaAccess.from_settings(desk.settings), client_id=f"{desk.service}.rebuild") as log:
        with desk.answers.steps(0) as steps:
            found = await rebuild(
                desk,
                log,
                steps,
                consumer=options.consumer,
                topic=options.topic,
                accept_difference=options.accept_difference,
            )
    equal = found.comparison.equal
    if not desk.answers.as_json:
        desk.answers.rows(found.comparison.rows(), title="At equal offsets", nothing="")
    if found.swapped:
        sentence = "Put in place."
    elif desk.dry_run:
        sentence = f"{desk.rehearsed}what was built {'is equal' if equal else 'differs'}."
    else:
        sentence = (
            "Nothing was changed: what was built differs. It stays in the schema "
            f"{desk.service}_rebuild for a look; --accept-difference puts it in place."
        )
    told = {"equal": equal, "swapped": found.swapped, "tables": found.comparison.rows()}
    desk.answers.done({"consumer": options.consumer, **told, "dry_run": desk.dry_run}, sentence)
    return equal or found.swapped


async def tell_lag(desk: Desk, options: Options) -> bool:
    """Tell how far everything is; False when something has waited longer than the operator allows."""
    async with (
        open_log(KafkaAccess.from_settings(desk.settings), client_id=f"{desk.service}.lag") as log,
        desk.engine.connect() as read,
    ):
        lag.require_topics(log, desk.consumers, prefix=desk.settings.kafka_topic_prefix)
        partitions = await lag.measure_partitions(read, log, desk.clock, desk.consumers)
        trouble = await lag.count_trouble(read, log, desk.clock, desk.consumers)
        outbox = await lag.measure_outbox(read, desk.clock)
        leases = await lag.list_leases(read, desk.service)
    sections: dict[str, list[dict[str, Any]]] = {
        "partition": [asdict(each) for each in partitions],
        "consumer": [asdict(each) for each in trouble],
        "outbox": [outbox],
        "leases": leases,
    }
    for about, rows in sections.items():
        told = [{"about": about, **row} for row in rows] if desk.answers.as_json else rows
        desk.answers.rows(told, title=about.capitalize(), nothing=f"No {about}.")
    ages = [each.age_seconds for each in partitions] + [each.parked_seconds for each in trouble]
    ages += [outbox["oldest_seconds"], outbox["holding_seconds"]]
    longest = max((age for age in ages if age is not None), default=0.0)
    return options.max_age is None or longest <= options.max_age


def _answer_row(desk: Desk, options: Options, place: quarantine.Place, sentence: str) -> bool:
    desk.answers.done(
        {"seq": options.seq, **asdict(place), "dry_run": desk.dry_run}, f"{desk.rehearsed}{sentence}"
    )
    return True


def _rest(found: Freed) -> str:
    if found.refused is not None:
        return f" The rest still waits: {found.refused}"
    return "" if found.missing is None else f" Still waits for versions {found.missing}."


def _names(options: Options) -> dict[str, str]:
    return {"consumer": options.consumer, "topic": options.topic, "key": options.key}


def _readable(parked: ParkedRecord) -> dict[str, Any]:
    record = parked.record
    return {
        "partition": record.partition,
        "offset": record.offset,
        "version": parked.version,
        "error": parked.error,
        "parked_at": parked.parked_at,
        "headers": {name: _text(value) for name, value in record.headers},
        "value": _text(record.value),
    }


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")
