"""What the log has to tell: the events that the model foretells, nothing else, and no repeat without a cause."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.contracts import sales
from shared.contracts.sales import Fact, FactsRecorded
from tests.faults.checks import Finding, report
from tests.stateful.log import Read
from tests.stateful.model import ORDERLY, Model, Told


def find_untold(reads: Iterable[Read], model: Model) -> list[Finding]:
    """A and B: of every key the log holds the events that the model foretells, in their order, and no others."""
    found: dict[tuple[str, str], dict[str, Read]] = {key: {} for key in model.events}
    for read in reads:
        if read.topic in ORDERLY:
            found.setdefault((read.topic, read.key), {}).setdefault(read.event_id, read)
    wrong = []
    for key, told in found.items():
        expected = model.events.get(key, [])
        got = list(told.values())
        if [read.wire_type for read in got] != [one.wire_type for one in expected]:
            wrong.append(
                f"{key}: {[read.wire_type for read in got]} for {[one.wire_type for one in expected]}"
            )
        else:
            wrong += [
                f"{key}: {got} for {one}"
                for one, read in zip(expected, got, strict=True)
                if not _tells(read, one)
            ]
    return report("log: not as the model foretells", wrong)


def _tells(read: Read, told: Told) -> bool:
    content = read.content
    return all(_same(content[name], value) for name, value in told.members.items())


def _same(found: Any, expected: Any) -> bool:
    if isinstance(expected, datetime):
        return datetime.fromisoformat(found) == expected
    return bool(found == (str(expected) if isinstance(expected, UUID) else expected))


def find_untold_facts(reads: Iterable[Read], model: Model) -> list[Finding]:
    """A and B of facts: as many records as commands that had to be told, of nothing but what was sent."""
    batches = {read.event_id: read for read in reads if read.topic == sales.FACTS}
    least, most = (
        (sum(bounds) for bounds in zip(*model.facts_commands, strict=True))
        if model.facts_commands
        else (0, 0)
    )
    sent = Counter(map(_name_of, model.facts))
    told = Counter(
        _name_of(fact)
        for read in batches.values()
        for fact in FactsRecorded.model_validate_json(read.value or b"").facts
    )
    return [
        *report(
            "facts: records",
            [f"{len(batches)} for {least} to {most}"] if not least <= len(batches) <= most else [],
        ),
        *report("facts: nobody sent", sorted((told - sent).elements())),
    ]


def _name_of(fact: Fact) -> str:
    return f"{fact.external_id} r{fact.revision} {fact.amount} {fact.account}"


def find_unexplained_repeats(reads: Iterable[Read], repeatable: Mapping[str, int]) -> list[Finding]:
    """Only what died after sending and before deleting may send again."""
    copies = Counter(read.event_id for read in reads)
    wrong = [
        f"{event_id}: {count} times, {repeatable.get(event_id, 0)} repeats had a cause"
        for event_id, count in copies.items()
        if count > 1 + repeatable.get(event_id, 0)
    ]
    return report("sent twice without cause", wrong)
