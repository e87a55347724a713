"""The demo's accounts and reps: invented names at real postal codes, drawn by the counties' labour force."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from random import Random
from typing import Any

from deploy.demo.dice import dice
from deploy.demo.geography import County, Place
from deploy.demo.patches import Patch
from deploy.demo.regions import AREA_OF_STATE, REGION_OF_AREA, REGIONS
from deploy.demo.tree import ROOT, named_territory, upper_territories
from deploy.demo.words import INDUSTRIES, company_name, person_names

_INDUSTRIES = tuple(INDUSTRIES)
_NAMED_EVERY = 50
_SPANISH_EVERY = 4
_NAMED_AMONG_FIRST = 5_000


@dataclass(frozen=True, slots=True)
class Account:
    """A company as the import takes it."""

    external_id: str
    name: str
    postal_code: str
    county: str
    state: str
    latitude: float
    longitude: float
    industry: str
    employees: int

    def body(self) -> dict[str, Any]:
        """Return the JSON of the account."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Rep:
    """Somebody who sells, at home in the territory they cover."""

    external_id: str
    name: str
    postal_code: str
    territory: str
    languages: tuple[str, ...]

    def body(self) -> dict[str, Any]:
        """Return the JSON of the rep."""
        own = {"external_id": self.external_id, "name": self.name, "postal_code": self.postal_code}
        return {**own, "languages": list(self.languages)}


class Market:
    """Where the accounts are. Account n is the same however many there are: an organisation can grow."""

    def __init__(self, counties: Sequence[County], seed: int) -> None:
        self._counties = counties
        self._weights = list(accumulate(county.labor_force for county in counties))
        self._region = {c.fips: REGION_OF_AREA[AREA_OF_STATE[c.state]] for c in counties}
        self._seed = seed

    def accounts(self, start: int, stop: int) -> Iterator[Account]:
        """Yield accounts `start` to `stop`, the latter not included."""
        for number in range(start, stop):
            yield self.account(number)

    def account(self, number: int) -> Account:
        """Return the n-th account."""
        rng = dice(self._seed, "account", number)
        place = self._place(rng)
        industry = rng.choice(_INDUSTRIES)
        size = 60.0 if is_named(number) else 1.0
        return Account(
            external_id=external_id(number),
            name=company_name(number, industry),
            postal_code=place.postal_code,
            county=place.county,
            state=place.state,
            latitude=place.latitude,
            longitude=place.longitude,
            industry=industry,
            employees=max(1, min(250_000, round(size * rng.lognormvariate(3.4, 1.3)))),
        )

    def named(self, total: int) -> list[tuple[str, list[str]]]:
        """Return the external ids of the named accounts of each region."""
        found: dict[str, list[str]] = {region: [] for region in REGIONS}
        for number in range(0, min(total, _NAMED_AMONG_FIRST), _NAMED_EVERY):
            account = self.account(number)
            found[self._region[account.county]].append(account.external_id)
        return list(found.items())

    def _place(self, rng: Random) -> Place:
        county = self._counties[bisect(self._weights, rng.random() * self._weights[-1])]
        return rng.choice(county.places)


def external_id(number: int) -> str:
    """Return the external id of the n-th account: a string with leading zeros, as CRMs have them."""
    return f"ACC-{number + 1:06}"


def is_named(number: int) -> bool:
    """Tell whether the n-th account is one of the big ones that are looked after by name."""
    return number < _NAMED_AMONG_FIRST and number % _NAMED_EVERY == 0


def hire_reps(patches: Sequence[Patch], seed: int) -> tuple[Rep, ...]:
    """Return one rep per territory; those of named accounts live in the biggest patch of their region."""
    rng = dice(seed, "reps")
    homes = [(patch.name, patch) for patch in patches]
    for region in REGIONS:
        inside = [patch for patch in patches if REGION_OF_AREA[patch.area] == region]
        homes.append((named_territory(region), max(inside, key=lambda patch: patch.labor_force)))
    names = person_names(rng, len(homes))
    return tuple(
        Rep(f"REP-{number:03}", name, rng.choice(patch.places).postal_code, territory, _languages(number))
        for number, (name, (territory, patch)) in enumerate(zip(names, homes, strict=True), start=1)
    )


def hire_managers(patches: Sequence[Patch], reps: Sequence[Rep], seed: int) -> tuple[Rep, ...]:
    """Return one manager per territory that has others below, who lives in its biggest patch."""
    rng = dice(seed, "managers")
    territories = upper_territories()
    taken = {rep.name for rep in reps}
    names = [name for name in person_names(rng, len(reps) + len(territories)) if name not in taken]
    found = []
    for number, (name, territory) in enumerate(zip(names, territories, strict=False), start=1):
        inside = [patch for patch in patches if territory in {patch.area, REGION_OF_AREA[patch.area], ROOT}]
        home = max(inside, key=lambda patch: patch.labor_force)
        found.append(Rep(f"MGR-{number:03}", name, rng.choice(home.places).postal_code, territory, ("en",)))
    return tuple(found)


def _languages(number: int) -> tuple[str, ...]:
    return ("en", "es") if number % _SPANISH_EVERY == 0 else ("en",)
