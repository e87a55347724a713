"""An operator at the toy service's desk: says words, reads JSON lines."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr

from shared.db.states import StateTopic
from shared.messaging.operations.arguments import parser_of
from shared.messaging.operations.command import answer, open_desk
from shared.messaging.subscription import Subscription
from shared.runtime.settings import ServiceSettings
from shared.testing.databases import ServiceDatabase
from shared.testing.kafka import KafkaSandbox
from tests.service.shared import toy

Consumers = Mapping[str, Sequence[Subscription]]


class Operator:
    """Says words after `events`; `status` and `refusal` are those of the last ones."""

    def __init__(self, database: ServiceDatabase, kafka: KafkaSandbox | None, capsys: Any) -> None:
        self.settings = ServiceSettings(
            environment="development",
            database_url=SecretStr(database.app_url),
            migration_database_url=SecretStr(database.owner_url),
            kafka_bootstrap_servers=kafka.access.bootstrap_servers if kafka else "127.0.0.1:1",
            kafka_topic_prefix=kafka.access.topic_prefix if kafka else "",
        )
        self.service = database.service
        self.status = 0
        self.refusal = ""
        self._capsys = capsys

    async def say(
        self, *words: str, consumers: Consumers = MappingProxyType({}), states: Sequence[StateTopic] = ()
    ) -> list[dict[str, Any]]:
        """Run a command and return what it answered."""
        options = parser_of("events").parse_args([*words, "--json"])
        self._capsys.readouterr()
        async with open_desk(
            options, settings=self.settings, service=self.service, consumers=consumers, states=states
        ) as desk:
            self.status = await answer(desk, options)
        printed = self._capsys.readouterr()
        self.refusal = printed.err
        return [json.loads(line) for line in printed.out.splitlines()]


AUDIT = "SELECT actor, operation, path_parameters FROM audit_entries ORDER BY audit_id"
PARKED = (toy.READER, toy.EVENTS, "lamp")
