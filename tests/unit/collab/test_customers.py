"""Needs, preferences, satisfaction and what follows from them, without a database."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collab.customers.channel import Channel
from services.collab.customers.consents.consent import ConsentLevel, ConsentState, Statement, Target
from services.collab.customers.needs.need import FOLLOWING, DropReason, Need, NeedStatus
from services.collab.customers.needs.refusals import (
    NeedDroppedWithoutReason,
    NeedMetWithoutEvidence,
    NeedStatusRefused,
)
from services.collab.customers.preferences.preference import (
    Observation,
    PreferenceName,
    channels_of,
    language_of,
    resolve_preferences,
)
from services.collab.customers.profiles.next_step import StepCode, derive_next_steps
from services.collab.customers.profiles.profile import (
    Knowledge,
    KnownNeed,
    KnownScore,
    Part,
    measure_completeness,
)
from services.collab.customers.satisfaction.intake import judge, read_items
from services.collab.customers.satisfaction.score import (
    Figure,
    ScoreKind,
    net_promoter_score,
    satisfied_percent,
)
from services.collab.customers.source import TRUST, Source
from shared.runtime.refusals import Refusal

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def _need(status: NeedStatus = NeedStatus.OPEN, *, evidence: int = 0) -> Need:
    reason = DropReason.OTHER if status is NeedStatus.DROPPED else None
    return Need(UUID(int=1), "training", status, 1, evidence, reason)


@pytest.mark.parametrize("before", NeedStatus)
@pytest.mark.parametrize("after", NeedStatus)
def test_every_step_of_a_need_is_allowed_or_refused_by_name(before: NeedStatus, after: NeedStatus):
    reason = DropReason.WITHDRAWN if after is NeedStatus.DROPPED else None
    need = _need(before, evidence=1)
    if after in FOLLOWING[before]:
        became = need.become(after, because=reason)
        assert (became.status, became.drop_reason) == (after, reason)
    else:
        with pytest.raises(NeedStatusRefused) as refused:
            need.become(after, because=reason)
        assert refused.value.extensions == {"allowed": sorted(FOLLOWING[before])}


steps = st.tuples(st.sampled_from(NeedStatus), st.none() | st.sampled_from(DropReason))


@given(st.lists(steps, max_size=15), st.integers(0, 2))
def test_whatever_people_do_a_need_is_met_with_evidence_and_dropped_with_a_reason(walk: list, evidence: int):
    need = _need(evidence=evidence)
    for status, because in walk:
        before = need
        try:
            need = need.become(status, because=because)
        except Refusal:
            assert need == before
        assert need.status is not NeedStatus.MET or evidence > 0
        assert (need.status is NeedStatus.DROPPED) == (need.drop_reason is not None)
        assert need == before or need.status in FOLLOWING[before.status]


def test_refusals_name_what_is_missing():
    with pytest.raises(NeedMetWithoutEvidence):
        _need().become(NeedStatus.MET)
    with pytest.raises(NeedDroppedWithoutReason):
        _need().become(NeedStatus.DROPPED)
    with pytest.raises(NeedDroppedWithoutReason):
        _need().become(NeedStatus.IN_PROGRESS, because=DropReason.OTHER)


def told(
    number: int,
    value: object,
    source: Source = Source.REP,
    *,
    days: int = 0,
    name: PreferenceName = PreferenceName.LANGUAGE,
    sure: int = 100,
) -> Observation:
    return Observation(UUID(int=number), name, value, source, sure, NOW - days * DAY)


def test_the_newest_of_the_most_trusted_source_holds_in_whatever_order_it_was_read():
    words = [
        told(1, "en", Source.CRM),
        told(2, "de", Source.CUSTOMER, days=400),
        told(3, "es", Source.CUSTOMER, days=30),
        told(4, "en", Source.REP),
    ]
    for order in permutations(words):
        held = resolve_preferences(order)[PreferenceName.LANGUAGE]
        assert (held.holds.value, held.agreeing, held.conflicting) == ("es", 0, 3)


observations = st.lists(
    st.builds(
        told,
        st.integers(1, 10**6),
        st.sampled_from(["en", "es", "de"]),
        st.sampled_from(Source),
        days=st.integers(0, 900),
        sure=st.integers(0, 100),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda observation: observation.observation_id,
)


@given(observations, st.randoms(use_true_random=False))
def test_what_holds_is_outdone_by_nothing_that_was_told(words: list[Observation], random):
    held = resolve_preferences(words)[PreferenceName.LANGUAGE]
    winner = held.holds
    assert held.agreeing + held.conflicting == len(words) - 1
    for word in words:
        assert TRUST[word.source] <= TRUST[winner.source]
        if word.source is winner.source:
            assert word.captured_at <= winner.captured_at
    assert resolve_preferences(random.sample(words, len(words)))[PreferenceName.LANGUAGE] == held


def test_the_customer_is_trusted_most_and_a_guess_least():
    assert sorted(Source, key=TRUST.__getitem__) == [
        Source.INFERRED,
        Source.CRM,
        Source.REP,
        Source.CONTRACT,
        Source.CUSTOMER,
    ]


def test_nothing_told_is_nothing_known():
    assert (language_of({}), channels_of({})) == (None, ())


@pytest.mark.parametrize(
    ("n", "promoters", "detractors", "value"),
    [(10, 7, 2, "50.0"), (3, 1, 1, "0.0"), (3, 2, 0, "66.7"), (1, 0, 1, "-100.0"), (8, 1, 2, "-12.5")],
)
def test_nps_is_promoters_less_detractors(n: int, promoters: int, detractors: int, value: str):
    """Seven promoters and two detractors of ten: 70 % - 20 % = 50 (Reichheld's own arithmetic)."""
    figure = net_promoter_score(n=n, promoters=promoters, detractors=detractors)
    assert figure == Figure(Decimal(value), None, n, promoters, detractors)


def test_without_answers_there_is_a_reason_and_no_zero():
    assert net_promoter_score(n=0, promoters=0, detractors=0) == Figure(None, "no-answers", 0, 0, 0)
    assert satisfied_percent(n=0, satisfied=0).value is None
    assert satisfied_percent(n=3, satisfied=2).value == Decimal("66.7")


def test_scores_are_judged_one_by_one():
    sent = {"external_id": "s-1", "kind": "nps", "score": 9, "answered_at": "2026-11-20T10:00:00Z"}
    items = read_items(
        [
            sent,
            {**sent, "answered_at": "2026-11-20T12:00:00+02:00"},
            {**sent, "score": 3},
            {**sent, "external_id": "s-2", "kind": "csat"},
            {**sent, "external_id": "s-3", "answered_at": "2030-01-01T00:00:00Z"},
            {**sent, "external_id": "s-4", "score": True},
            "s-5",
        ],
        NOW,
    )
    judge(items, {})
    assert [item.status for item in items] == [
        "recorded",
        "duplicate",
        "conflict",
        "invalid",
        "invalid",
        "invalid",
        "invalid",
    ]
    assert items[3].errors == [("/scores/3", "score: csat goes from 1 to 5")]
    assert items[4].errors[0][0] == "/scores/4/answered_at"


def _known_need(**fields: object) -> KnownNeed:
    standard = {
        "need_id": UUID(int=5),
        "kind": "training",
        "status": NeedStatus.OPEN,
        "owner_rep_id": UUID(int=6),
        "due_on": None,
        "registered_at": NOW - DAY,
        "evidence": 1,
    }
    return KnownNeed(**{**standard, **fields})


def _knowledge(**fields: object) -> Knowledge:
    """All is well, but for what a test says."""
    preferences = [
        told(1, "es"),
        told(2, ["phone"], name=PreferenceName.CHANNEL),
        told(3, {}, name=PreferenceName.CONTACT_HOURS),
        told(4, {"every_days": 30}, name=PreferenceName.CADENCE),
    ]
    phone = Target(ConsentLevel.CHANNEL, channel=Channel.PHONE)
    standard = {
        "at": NOW,
        "needs": (_known_need(),),
        "needs_ever": 1,
        "preferences": resolve_preferences(preferences),
        "consents": (Statement(UUID(int=7), phone, ConsentState.GRANTED, Source.CUSTOMER, NOW - DAY),),
        "scores": (KnownScore(UUID(int=8), ScoreKind.NPS, 9, NOW - DAY),),
        "covering": frozenset({UUID(int=6)}),
    }
    return Knowledge(**{**standard, **fields})


def _codes(known: Knowledge) -> list[tuple[StepCode, str | None]]:
    return [(step.code, step.about) for step in derive_next_steps(known)]


def test_where_all_is_well_there_is_nothing_to_do_and_nothing_missing():
    assert derive_next_steps(_knowledge()) == []
    complete = measure_completeness(_knowledge())
    assert (complete.score_percent, complete.missing) == (100, ())


@pytest.mark.parametrize(
    ("due_on", "late"), [(date(2026, 11, 23), False), (date(2026, 11, 22), True), (None, False)]
)
def test_a_need_is_overdue_from_the_day_after(due_on: date | None, *, late: bool):
    steps = derive_next_steps(_knowledge(needs=(_known_need(due_on=due_on),)))
    assert [step.code for step in steps] == [StepCode.NEED_OVERDUE] * late
    assert [step.days for step in steps] == [1] * late


@pytest.mark.parametrize(
    ("status", "age", "asked"),
    [
        (NeedStatus.OPEN, 13, False),
        (NeedStatus.OPEN, 14, True),
        (NeedStatus.IN_PROGRESS, 0, True),
    ],
)
def test_a_need_under_way_or_two_weeks_old_should_have_evidence(status: NeedStatus, age: int, *, asked: bool):
    need = _known_need(status=status, registered_at=NOW - age * DAY, evidence=0)
    expected = [(StepCode.NEED_WITHOUT_EVIDENCE, "training")] if asked else []
    assert _codes(_knowledge(needs=(need,))) == expected


def test_a_need_whose_owner_does_not_cover_the_account_wants_another():
    assert _codes(_knowledge(covering=frozenset({UUID(int=9)}))) == [(StepCode.NEED_OWNER_LEFT, "training")]
    unowned = (_known_need(owner_rep_id=None),)
    assert _codes(_knowledge(needs=unowned, covering=frozenset())) == [(StepCode.NEED_UNOWNED, "training")]


def test_a_preference_is_asked_again_after_a_year():
    fresh, stale = (
        resolve_preferences([told(1, "es", days=365)]),
        resolve_preferences([told(1, "es", days=366)]),
    )
    base = _knowledge().preferences
    assert _codes(_knowledge(preferences={**base, **fresh})) == []
    assert _codes(_knowledge(preferences={**base, **stale})) == [(StepCode.PREFERENCE_STALE, "language")]


def test_consent_is_missing_where_nobody_asked_and_a_no_is_an_answer():
    assert _codes(_knowledge(consents=())) == [(StepCode.CONSENT_MISSING, "phone")]
    assert _codes(_knowledge(consents=(), preferences={})) == [(StepCode.CONSENT_MISSING, None)]
    everything = Statement(
        UUID(int=9), Target(ConsentLevel.GLOBAL), ConsentState.DENIED, Source.CUSTOMER, NOW - DAY
    )
    assert _codes(_knowledge(consents=(everything,))) == []


@pytest.mark.parametrize(
    ("kind", "score", "days", "low"),
    [
        (ScoreKind.NPS, 6, 1, True),
        (ScoreKind.NPS, 7, 1, False),
        (ScoreKind.CSAT, 2, 1, True),
        (ScoreKind.CSAT, 3, 1, False),
        (ScoreKind.NPS, 0, 181, False),
    ],
)
def test_a_low_answer_asks_for_a_call(kind: ScoreKind, score: int, days: int, *, low: bool):
    known = _knowledge(scores=(KnownScore(UUID(int=8), kind, score, NOW - days * DAY),))
    assert _codes(known) == ([(StepCode.SATISFACTION_LOW, kind)] if low else [])


def test_the_most_urgent_comes_first_and_of_the_same_the_longest_due():
    needs = tuple(
        _known_need(need_id=UUID(int=n), kind=f"kind-{n}", due_on=NOW.date() - n * DAY) for n in (1, 5, 3)
    )
    known = _knowledge(
        needs=(*needs, _known_need(owner_rep_id=None)),
        scores=(KnownScore(UUID(int=8), ScoreKind.NPS, 2, NOW),),
        consents=(),
    )
    assert [code for code, _ in _codes(known)] == [
        StepCode.SATISFACTION_LOW,
        *[StepCode.NEED_OVERDUE] * 3,
        StepCode.NEED_UNOWNED,
        StepCode.CONSENT_MISSING,
    ]
    assert [about for _, about in _codes(known)][1:4] == ["kind-5", "kind-3", "kind-1"]


def test_of_an_unknown_customer_nothing_is_there():
    empty = Knowledge(NOW, (), 0, {}, (), (), frozenset())
    complete = measure_completeness(empty)
    assert (complete.score_percent, complete.present) == (0, ())
    assert set(complete.missing) == set(Part)
