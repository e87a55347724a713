"""The machine: Hypothesis chooses who does what next, and what dies where; after each step the model has to agree.

Relays and consumers move only when they are told to, one pass at a time, so that the schedule is Hypothesis's to find
and to shrink. At the end, and now and then before, everything is mended, sent and read, and judged.

What can be done next follows from what was asked for, never from what came of it: ids are drawn anew in each run, and
with them which relay sends what, while Hypothesis takes it for an error when the same choices lead elsewhere.

Few rules with many arguments: Hypothesis does without some of the rules in most examples, and deaths at single points
would be among them. How an example begins is no rule: it is never done without.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.stateful.backbone import Backbone
from tests.stateful.clients import Clients
from tests.stateful.fail_points import API, CONSUMER, FAIL_POINTS, RELAY
from tests.stateful.installation import MEMBERS, READ, RELAYS, Installation
from tests.stateful.judging import judge
from tests.stateful.model import Model, Rules
from tests.stateful.rebuilding import rebuild_coverages
from tests.stateful.stage import Stage
from tests.stateful.violation import require_none
from tests.stateful.wishes import SMALL, WISHES, Wish, import_accounts

T = TypeVar("T")

_RULES = st.tuples(SMALL, SMALL, SMALL)
_POINTS = st.sampled_from(FAIL_POINTS)
_SOMEWHERE_ELSE = st.none() | st.integers(0, 100)


@dataclass
class Run:
    """What a run of the machine plays on, and what it found. Set before Hypothesis makes instances."""

    runner: asyncio.Runner
    installation: Installation
    violations: list[str] = field(default_factory=list)


class Machine(RuleBasedStateMachine):
    """One example: an organisation, its model, and the steps."""

    run: ClassVar[Run]

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(self.run.installation)
        self.model = Model(self._do(self.stage.open()))
        self.clients = Clients(self.stage, self.model)
        self.backbone = Backbone(self.stage)
        self.red = False
        self.settled = 0
        self.rebuilt = False
        self.holding = False

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self.run.runner.run(work)
        except AssertionError as violation:
            self.red = True
            self.run.violations.append(str(violation))
            raise

    def teardown(self) -> None:
        """Judge what it has come to, and end it."""
        try:
            if not self.red:
                self._do(self._settle())
        finally:
            self._do(self.stage.close())

    @invariant()
    def counted(self) -> None:
        """Count steps, for the figures."""
        self.run.installation.steps += 1

    # -- People ----------------------------------------------------------------------------------------------

    @initialize(points=st.lists(_POINTS, min_size=5, max_size=8, unique=True), which=SMALL)
    def found(self, *, points: list[str], which: int) -> None:
        """Have reps and a plan with a tree, in force; and die, as no example would be sure to otherwise."""
        self._do(self.clients.found())
        wish = partial(import_accounts, rows=[("a", "01001", 1), ("b", "02001", 2)], bad=False)
        self._die(wish, points, which, None)

    @rule(wishes=st.lists(WISHES, min_size=1, max_size=3))
    def ask(self, *, wishes: list[Wish]) -> None:
        """Somebody asks for one thing after the other."""
        for wish in wishes:
            self._do(self.clients.ask(wish(self.model)))

    @precondition(lambda self: self.clients.has_answers)
    @rule(which=SMALL, how=st.sampled_from(("the same", "another", "what had no answer")))
    def ask_again(self, *, which: int, how: str) -> None:
        """A request under a key that was used before."""
        match how:
            case "the same":
                self._do(self.clients.repeat(which))
            case "another":
                self._do(self.clients.reuse_key(which))
            case _:
                self._do(self.clients.ask_again())

    @rule(wish=WISHES, rules=st.none() | st.tuples(_RULES, _RULES))
    def race(self, *, wish: Wish, rules: tuple[Rules, Rules] | None) -> None:
        """Two requests at the same time: from one version, or under one key."""
        if rules is None:
            self._do(self.clients.race_on_key(wish(self.model)))
        else:
            self._do(self.clients.race_on_version(rules))

    # -- Deaths ----------------------------------------------------------------------------------------------

    @rule(
        wish=WISHES,
        points=st.lists(_POINTS, min_size=1, max_size=3, unique=True),
        which=SMALL,
        held_at=st.none() | st.sampled_from(RELAY),
    )
    def die(self, *, wish: Wish, points: list[str], which: int, held_at: str | None) -> None:
        """Something is asked for, and parts that work on it die, one after the other; a relay may stand still."""
        self._die(wish, points, which, held_at)

    def _die(self, wish: Wish, points: list[str], which: int, held_at: str | None) -> None:
        for point in points:
            if point in API:
                self.stage.points.arm(point)
        self._do(self.clients.ask(wish(self.model)))
        for point in points:
            if point in RELAY:
                self._do(self.backbone.kill_relay(point, which))
        if held_at is not None:
            self.holding = True
            self._do(self.backbone.hold_relay(held_at, which))
        for point in points:
            if point in CONSUMER:
                self._do(self.backbone.kill_consumer(point, which))

    @precondition(lambda self: self.holding)
    @rule(deadly=st.booleans())
    def let_relays_go(self, *, deadly: bool) -> None:
        """What stood still goes on, or dies."""
        self.holding = False
        self._do(self.backbone.let_go(deadly=deadly))

    # -- Passes ----------------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(tuple(RELAYS)), passes=st.integers(1, 3))
    def relay(self, *, name: str, passes: int) -> None:
        """A relay makes passes, unless it is held."""
        self._do(self.backbone.relay(name, passes))

    @rule(
        name=st.sampled_from(READ),
        member=st.sampled_from(MEMBERS),
        at_most=st.sampled_from((1, 2, 500)),
        polls=st.integers(1, 3),
        look_up=st.booleans(),
        rebalanced=st.booleans(),
        share=_SOMEWHERE_ELSE,
    )
    def consume(self, *, name: str, member: str, share: int | None, **how: Any) -> None:
        """A member of a consumer makes a pass, from where it is or from somewhere else in the log."""
        if share is not None:
            self._do(self.backbone.seek(name, member, share))
        self._do(self.backbone.consume(name, member, **how))

    @rule(name=st.sampled_from(READ))
    def consume_at_once(self, *, name: str) -> None:
        """Two members apply the same records at the same time."""
        self._do(self.backbone.consume_at_once(name))

    @rule(which=st.integers(0, 20))
    def send_again(self, *, which: int) -> None:
        """An old record comes once more, behind all others."""
        self._do(self.backbone.send_again(which))

    # -- Judging ---------------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.coverages and not self.rebuilt)
    @rule()
    def rebuild(self) -> None:
        """Once in an example: coverages built anew equal those that grew, and take their place."""
        self.rebuilt = True
        self._do(rebuild_coverages(self.stage))

    @precondition(lambda self: self.clients.asked > self.settled)
    @rule()
    def settle(self) -> None:
        """Mend everything, have it sent and read, and judge."""
        self._do(self._settle())

    async def _settle(self) -> None:
        self.settled, self.holding = self.clients.asked, False
        self.stage.points.disarm()
        await self.backbone.let_go(deadly=False)
        await self.clients.ask_until_answered()
        await self.backbone.drain()
        require_none(await judge(self.stage, self.model, self.backbone.repeatable))
