"""The whole demo organisation, from a seed: the same bytes for the same size, seed and day."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain

from deploy.demo.geography import County, load_counties
from deploy.demo.ledger import Ledger
from deploy.demo.patches import Patch, cut_patches
from deploy.demo.people import Account, Market, Rep, hire_managers, hire_reps
from deploy.demo.sales import FactBody, Year
from deploy.demo.tree import Rule, Territory, build_rules, build_tree

DEFAULT_ACCOUNTS = 5_000
DEFAULT_SEED = 2026


@dataclass(frozen=True)
class Organisation:
    """What is small enough to hold; accounts and facts are streamed."""

    size: int
    seed: int
    counties: tuple[County, ...]
    patches: tuple[Patch, ...]
    territories: tuple[Territory, ...]
    rules: tuple[Rule, ...]
    reps: tuple[Rep, ...]
    managers: tuple[Rep, ...]
    market: Market

    @property
    def team(self) -> tuple[Rep, ...]:
        """Everybody who covers a territory."""
        return (*self.reps, *self.managers)

    def accounts(self) -> Iterator[Account]:
        """Yield the accounts in order."""
        return self.market.accounts(0, self.size)

    def facts(
        self, today: date, ledger: Ledger, passed: Callable[[int], object] | None = None
    ) -> Iterator[FactBody]:
        """Yield the facts of the year before `today`, and enter them in the ledger as they pass.

        `passed` is called with how many accounts are through.
        """
        year = Year(today, self.seed)
        for group in chain([year.campaigns()], map(year.facts_of, self.accounts())):
            ledger.add(group)
            yield from group
            if passed is not None:
                passed(1)


def found_organisation(size: int = DEFAULT_ACCOUNTS, seed: int = DEFAULT_SEED) -> Organisation:
    """Build the organisation around its map; the map does not depend on the number of accounts."""
    counties = load_counties()
    patches = cut_patches(counties)
    market = Market(counties, seed)
    reps = hire_reps(patches, seed)
    return Organisation(
        size=size,
        seed=seed,
        counties=counties,
        patches=patches,
        territories=build_tree(patches),
        rules=build_rules(patches, market.named(size)),
        reps=reps,
        managers=hire_managers(patches, reps, seed),
        market=market,
    )
