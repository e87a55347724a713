"""Whoever asks over HTTP: each request under a key, again when there was no answer, and now and then two at once.

Every answer is held against what the model foresees, and assignment's tables against the model after each.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import httpx

from tests.stateful import commands
from tests.stateful.commands import Command, Request, SetRules
from tests.stateful.fail_points import Died
from tests.stateful.judging import judge_state
from tests.stateful.model import Model, Rules
from tests.stateful.stage import Stage
from tests.stateful.violation import require, require_none

_REPLAYED = "idempotent-replayed"


@dataclass
class Sent:
    """A request under its key, with the body of the only answer that it may get from now on, if it has one."""

    command: Command
    request: Request
    key: str
    answer: bytes | None = None


class Clients:
    """One example's callers. Whatever they do raises Violation where it ends otherwise than it has to."""

    def __init__(self, stage: Stage, model: Model) -> None:
        self._stage = stage
        self._model = model
        self._answered: list[Sent] = []
        self._unanswered: list[Sent] = []
        self.asked = 0
        """How many commands so far."""

    async def found(self) -> None:
        """Have reps and a plan with a tree, in force."""
        await self.ask(commands.ImportReps())
        await self.ask(commands.DraftPlan())
        plan_id = self._model.newest_plan()
        await self.ask(commands.SetTree(plan_id, 1))
        await self.ask(SetRules(plan_id, 2, (0, 1, 2)))
        await self.ask(commands.Activate(plan_id, 3))

    async def ask(self, command: Command) -> None:
        """Ask for something new."""
        await self._carry_out(self._write(command))

    async def ask_until_answered(self) -> None:
        """Ask again for whatever had no answer, until everything has one."""
        while self._unanswered:
            await self.ask_again()

    async def ask_again(self) -> None:
        """Ask again for what has waited longest for its answer, if anything has."""
        if not self._unanswered:
            return
        sent = self._unanswered.pop(0)
        if sent.answer is None:
            await self._carry_out(sent)
        else:
            await self._repeat(sent)
            self._answered.append(sent)

    async def repeat(self, which: int) -> None:
        """Send one of the last requests again under its key: the first answer again, and no effect."""
        await self._repeat(self._last(which))

    async def reuse_key(self, which: int) -> None:
        """Send another request under a key of one of the last: refused."""
        sent = self._last(which)
        # Refused before there is anything to die in.
        answer = await self._send(Sent(sent.command, commands.otherwise(sent.request), sent.key))
        told = answer.status_code, answer.json().get("code")
        require(told == (422, "idempotency-key-reused"), f"F: {sent.command}: {answer.text}")
        require_none(await judge_state(self._stage, self._model))

    async def race_on_version(self, rules: Sequence[Rules]) -> None:
        """Two change the same draft at the same time, both from the version they have read: one does."""
        plan_id = await self._draft()
        version = self._model.plans[plan_id].version
        sent = [self._write(SetRules(plan_id, version, to)) for to in rules]
        at = self._stage.tick()
        answers = await self._send_at_once(sent)
        statuses = [answer.status_code for answer in answers]
        require(sorted(statuses) == [200, 412], f"two changes of version {version}: {statuses}")
        winner = statuses.index(200)
        await self._finish(sent[winner], answers[winner], at)

    async def race_on_key(self, command: Command) -> None:
        """The same request twice at the same time under one key: one effect, and the other waits or is told it."""
        sent = self._write(command)
        at = self._stage.tick()
        foreseen = command.foreseen(self._model)
        answers = await self._send_at_once([sent, replace(sent)])
        first = [answer for answer in answers if answer.is_success and _REPLAYED not in answer.headers]
        others = [answer for answer in answers if answer not in first]
        told = f"{command} twice at once: {[(answer.status_code, answer.text) for answer in answers]}"
        require(len(first) == int(foreseen < 400), f"F: {told}")
        for other in others:
            in_flight = other.status_code == 409 and other.json()["code"] == "request-in-flight"
            same = first and other.is_success and other.content == first[0].content
            refused = not first and other.status_code == foreseen
            require(in_flight or same or refused, f"F: {told} for {foreseen}")
        if first:
            await self._finish(sent, first[0], at)
        else:
            require_none(await judge_state(self._stage, self._model))

    @property
    def has_answers(self) -> bool:
        """Tell whether there is a request that could be repeated."""
        return bool(self._answered)

    async def _draft(self) -> UUID:
        self._stage.points.disarm()
        if self._model.plans[self._model.newest_plan()].state != "draft":
            await self.ask(commands.DraftPlan(self._model.newest_plan()))
        return self._model.newest_plan()

    def _last(self, which: int) -> Sent:
        return self._answered[::-1][which % len(self._answered)]

    def _write(self, command: Command) -> Sent:
        self.asked += 1
        return Sent(command, command.request(self._model), f"{self._model.names.prefix}-{self.asked}")

    async def _carry_out(self, sent: Sent) -> None:
        at = self._stage.tick()
        foreseen = sent.command.foreseen(self._model)
        try:
            answer = await self._send(sent)
        except Died as death:
            if death.answer is not None:
                sent.answer = death.answer.body
                self._note(sent, death.answer.body, at)
            self._unanswered.append(sent)
            require_none(await judge_state(self._stage, self._model))
            return
        told = f"{answer.status_code} {answer.text}"
        require(answer.status_code == foreseen, f"{sent.command}: {told} for {foreseen}")
        await self._finish(sent, answer, at)

    async def _finish(self, sent: Sent, answer: httpx.Response, at: datetime) -> None:
        if answer.is_success:
            sent.answer = answer.content
            self._answered.append(sent)
            self._note(sent, answer.content, at)
        require_none(await judge_state(self._stage, self._model))

    async def _repeat(self, sent: Sent) -> None:
        try:
            answer = await self._send(sent)
        except Died:
            return
        require(_REPLAYED in answer.headers, f"F: {sent.request.path} was done again")
        require(answer.content == sent.answer, f"F: another answer: {answer.text} for {sent.answer!r}")

    def _note(self, sent: Sent, body: bytes, at: datetime) -> None:
        sent.command.happen(self._model, at, httpx.Response(200, content=body).json())
        self._model.done[sent.request.service].add(sent.key)
        self._stage.unsent.add(sent.request.service)

    async def _send_at_once(self, sent: Sequence[Sent]) -> list[httpx.Response]:
        # Who dies in a race is not for the model to say.
        self._stage.points.disarm()
        return await asyncio.gather(*map(self._send, sent))

    async def _send(self, sent: Sent) -> httpx.Response:
        answer = await self._stage.send(sent.request, sent.key)
        require(answer.status_code < 500, f"H: {sent.request.path}: {answer.status_code} {answer.text}")
        return answer
