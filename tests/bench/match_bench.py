"""match/100k-accounts: which territory each of 100,000 accounts belongs to, by 500 rules of the usual kinds.

Pure work, without a database. The floor is one dictionary lookup per account, which is what matching would be if
every rule asked for one county.
"""

import random
import time
from uuid import UUID

from services.assignment.rules.condition import FIELDS
from services.assignment.rules.matcher import Matcher
from services.assignment.rules.rule import RuleText, check_rules
from tests.bench.report import Result, paired, rates
from tests.bench.stage import Stage

ACCOUNTS, TERRITORIES, COUNTIES, RULES = 100_000, 60, 3_000, 500
INDUSTRIES = ("retail", "health", "software", "education", "logistics")
STATES = tuple(first + second for first in "ACDFG" for second in "AEIKLNORTZ")


async def run(_stage: Stage) -> list[Result]:
    """Measure accounts matched per second on one core."""
    dice = random.Random(7)
    rows = [_values(dice) for _ in range(ACCOUNTS)]
    rules = check_rules(_rules(dice), territories=[UUID(int=number) for number in range(TERRITORIES)])
    county = FIELDS.index("county")
    by_county = {f"{number:05d}": UUID(int=number % TERRITORIES) for number in range(COUNTIES)}

    async def ours() -> float:
        # A new one each time: what it remembers of accounts seen before is part of its work.
        started = time.perf_counter()
        match = Matcher(rules).match
        matched = [match(row) for row in rows]
        seconds = time.perf_counter() - started
        if not ACCOUNTS * 0.5 < sum(one.territory_id is not None for one in matched) < ACCOUNTS:
            raise RuntimeError("a plan that sends all or few of its accounts somewhere is no measure")
        return ACCOUNTS / seconds

    async def floor() -> float:
        started = time.perf_counter()
        found = [by_county.get(row[county]) for row in rows]
        return len(found) / (time.perf_counter() - started)

    values, floors = await paired(ours, floor)
    note = f"{RULES} rules by county, state, industry and size; floor: one dictionary lookup per account"
    return [rates("match", "100k-accounts", unit="accounts/s", values=values, floors=floors, note=note)]


def _values(dice: random.Random) -> tuple[object, ...]:
    told = {
        "county": f"{dice.randrange(COUNTIES):05d}",
        "state": dice.choice(STATES),
        "industry": dice.choice(INDUSTRIES),
        "employees": dice.randrange(1, 5_000),
    }
    return tuple(told.get(field) for field in FIELDS)


def _rules(dice: random.Random) -> list[RuleText]:
    """Eight in ten rules name counties; the others a state and an industry, or large accounts of a state."""
    rules = []
    for number in range(RULES):
        kind = number % 10
        if kind < 8:
            counties = [f"{dice.randrange(COUNTIES):05d}" for _ in range(6)]
            condition: object = {"field": "county", "op": "in", "value": counties}
        else:
            second = (
                {"field": "industry", "op": "eq", "value": dice.choice(INDUSTRIES)}
                if kind == 8
                else {"field": "employees", "op": "gte", "value": 4_000}
            )
            condition = {"all": [{"field": "state", "op": "eq", "value": dice.choice(STATES)}, second]}
        territory = UUID(int=number % TERRITORIES)
        rules.append(RuleText(UUID(int=1000 + number), f"Rule {number}", territory, number, condition))
    return rules
