"""The demo's accounts, rules and facts: repeatable, growing at the end only, matched exactly once."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice

import pytest

from deploy.demo.ledger import Ledger
from deploy.demo.organisation import Organisation, found_organisation
from deploy.demo.people import is_named
from deploy.demo.regions import AREA_OF_STATE, REGION_OF_AREA, REGIONS
from deploy.demo.sales import Year
from deploy.demo.tree import ROOT, has_accounts, named_territory, territory_id, upper_territories
from services.assignment.rules.condition import FIELDS
from services.assignment.rules.matcher import Matcher
from services.assignment.rules.rule import RuleText, check_rules
from shared.contracts.sales import Fact

TODAY = date(2026, 11, 23)


def test_the_same_seed_and_day_give_the_same_bytes(organisation: Organisation):
    """The digest stands here in full: whoever changes the demo changes this line, knowingly."""
    again = found_organisation()
    assert _digest(organisation) == _digest(again)
    assert _digest(again) == "d5c734c0c522124d1eb13bf6aed36a868f040cbad951a4c911d2c85af8fd0fca"


def test_another_seed_gives_other_accounts_on_the_same_map(organisation: Organisation):
    other = found_organisation(50, seed=1)
    assert other.patches == organisation.patches
    assert list(other.accounts()) != list(islice(organisation.accounts(), 50))


def test_a_bigger_organisation_begins_with_the_smaller_one(organisation: Organisation):
    bigger = found_organisation(8_000)
    assert list(islice(bigger.accounts(), 5_000)) == list(organisation.accounts())
    assert bigger.rules == organisation.rules
    assert bigger.territories == organisation.territories


def test_accounts_are_different_firms(organisation: Organisation):
    accounts = list(organisation.accounts())
    assert len({account.name for account in accounts}) == 5_000
    assert len({account.external_id for account in accounts}) == 5_000
    employees = sorted(account.employees for account in accounts)
    assert employees[2_500] * 2 < sum(employees) / 5_000


def test_every_account_is_matched_by_exactly_one_territory(organisation: Organisation):
    """And ties could not even arise: only the named accounts meet two rules, and theirs come first."""
    matcher = _matcher(organisation)
    found = {account.external_id: matcher.match(_values(account)) for account in organisation.accounts()}
    sizes = Counter(match.territory_id for match in found.values())
    named = {territory_id(named_territory(region)) for region in REGIONS}

    assert {match.reason for match in found.values()} == {None}
    assert len(sizes) == 60
    assert sum(sizes[territory] for territory in named) == sum(map(is_named, range(5_000)))
    assert min(sizes[territory_id(patch.name)] for patch in organisation.patches) > 40


def test_a_rule_stays_within_the_limits_of_the_api(organisation: Organisation):
    assert max(len(rule.condition["value"]) for rule in organisation.rules) <= 5_000
    positions = [rule.position for rule in organisation.rules]
    assert positions == sorted(set(positions))


def test_every_territory_has_a_rep_who_lives_there(organisation: Organisation):
    homes = {patch.name: {p.postal_code for p in patch.places} for patch in organisation.patches}
    assert len(organisation.reps) == 60
    assert len({rep.name for rep in organisation.reps}) == 60
    assert len({rep.territory for rep in organisation.reps}) == 60
    for rep in organisation.reps:
        assert rep.territory not in homes or rep.postal_code in homes[rep.territory]


def test_every_territory_with_others_below_has_a_manager_who_lives_in_it(organisation: Organisation):
    parents = {node.parent_id for node in organisation.territories} - {None}
    assert tuple(one.territory for one in organisation.managers) == upper_territories()
    assert {territory_id(one.territory) for one in organisation.managers} == parents
    for side in ("name", "external_id"):
        assert len({getattr(one, side) for one in organisation.team}) == len(organisation.team) == 77
    places = {place.postal_code: place.state for county in organisation.counties for place in county.places}
    for one in organisation.managers:
        area = AREA_OF_STATE[places[one.postal_code]]
        assert one.territory in {area, REGION_OF_AREA[area], ROOT}
    for node in organisation.territories:
        assert has_accounts(str(node.territory_id)) == (node.territory_id not in parents)


@pytest.fixture(scope="module")
def facts(organisation: Organisation) -> list[dict]:
    return list(organisation.facts(TODAY, Ledger()))


def test_facts_are_valid_and_of_the_year_before(facts: list[dict]):
    first, end = datetime(2025, 11, 23, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    for fact in map(Fact.model_validate, facts[::7]):
        assert first <= fact.created_at <= fact.occurred_at < end


def test_there_are_about_ten_facts_per_account_of_every_kind(facts: list[dict]):
    kinds = Counter(fact["kind"] for fact in facts)
    assert 45_000 < len(facts) < 55_000
    assert min(kinds[kind] for kind in ("lead", "opportunity", "order", "spend")) > 3_000
    assert sum(fact.get("voided", False) for fact in facts) > 50
    assert sum(fact["revision"] > 1 and fact["kind"] == "order" for fact in facts) > 300
    assert {fact["stage"] for fact in facts if fact["kind"] == "opportunity"} == {"open", "won", "lost"}
    assert any("account_external_id" not in fact for fact in facts)


def test_a_few_accounts_make_most_of_the_revenue(facts: list[dict]):
    revenue = Counter[str]()
    for fact in facts:
        if fact["kind"] == "order":
            revenue[fact["account_external_id"]] += Decimal(fact["amount"])
    top = sum(amount for _, amount in revenue.most_common(len(revenue) // 5))
    assert top / sum(revenue.values()) > Decimal("0.6")


def test_the_last_quarter_is_busier_than_the_summer(facts: list[dict]):
    months = Counter(fact["created_at"][5:7] for fact in facts)
    assert months["10"] + months["12"] > 1.3 * (months["07"] + months["08"])


def test_the_ledger_counts_the_highest_revision_and_no_voided_one():
    def order(revision: int, amount: str, *, voided: bool = False) -> dict:
        return {
            "kind": "order",
            "external_id": "1",
            "revision": revision,
            "amount": amount,
            "currency": "USD",
            "voided": voided,
        }

    ledger = Ledger()
    ledger.add([order(2, "7.00"), order(1, "9.00")])
    ledger.add([order(1, "5.00"), order(2, "5.00", voided=True)])
    assert (ledger.posted, ledger.facts) == (4, 2)
    assert ledger.figures()["revenue"] == Decimal("7.00")
    assert ledger.figures()["orders"] == 1


def test_facts_of_an_account_do_not_depend_on_the_others(organisation: Organisation):
    year = Year(TODAY, organisation.seed)
    account = organisation.market.account(4_711)
    assert year.facts_of(account) == Year(TODAY, organisation.seed).facts_of(account)


def _digest(organisation: Organisation) -> str:
    digest = hashlib.sha256()
    parts: list[Iterable] = [
        (territory.body() for territory in organisation.territories),
        (rule.body() for rule in organisation.rules),
        (rep.body() for rep in organisation.team),
        (account.body() for account in organisation.accounts()),
        organisation.facts(TODAY, Ledger()),
    ]
    for part in parts:
        for body in part:
            digest.update(json.dumps(body, sort_keys=True).encode())
    return digest.hexdigest()


def _matcher(organisation: Organisation) -> Matcher:
    texts = [
        RuleText(rule.rule_id, rule.name, rule.territory_id, rule.position, rule.condition)
        for rule in organisation.rules
    ]
    return Matcher(check_rules(texts, territories={t.territory_id for t in organisation.territories}))


def _values(account: object) -> tuple:
    # What collab tells of customers is not the account's own.
    return tuple(getattr(account, name, None) for name in FIELDS)
