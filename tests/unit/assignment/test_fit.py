"""How well a rep fits an account: shares, weights, and what silence means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.alignments.fit.fit import Offered, PartName, Unknown, Wanted, best_score, measure_fit

WANTED = Wanted("es", "retail", ("renewal", "training"))


@pytest.mark.parametrize(
    ("offered", "scores", "score"),
    [
        (Offered(("en", "es"), ("Retail",), ("training",)), (100, 100, 50), 88),
        (Offered(("en",), ("retail",), ("renewal", "training")), (0, 100, 100), 50),
        (Offered(("es",), ("food",), ()), (100, 0, None), 67),
        (Offered((), (), ()), (None, None, None), None),
    ],
)
def test_the_score_is_the_weighted_mean_of_what_is_known(offered: Offered, scores: tuple, score: int | None):
    """Language weighs two of four: 2x100 + 100 + 50 over 4 is 87.5; unknown parts weigh nothing."""
    fit = measure_fit(WANTED, offered)
    assert tuple(part.score for part in fit.parts) == scores
    assert fit.score == score


def test_each_part_tells_what_is_met_and_what_is_not():
    fit = measure_fit(WANTED, Offered(("en",), (), ("training",)))
    language, industry, needs = fit.parts
    assert (language.met, language.unmet) == ((), ("es",))
    assert (industry.score, industry.reason) == (None, Unknown.REP_SAYS_NOTHING)
    assert (needs.met, needs.unmet) == (("training",), ("renewal",))
    silent = measure_fit(Wanted(None, None, ()), Offered(("en",), ("retail",), ("training",)))
    assert {part.reason for part in silent.parts} == {Unknown.ACCOUNT_SAYS_NOTHING}
    assert (silent.score, silent.reason) == (None, Unknown.NOTHING_KNOWN)


@pytest.mark.parametrize(("wanted", "spoken"), [("pt-BR", "pt"), ("pt", "pt-PT"), ("pt-BR", "pt-PT")])
def test_who_speaks_a_language_is_understood_in_its_dialects(wanted: str, spoken: str):
    fit = measure_fit(Wanted(wanted, None, ()), Offered((spoken,), (), ()))
    assert fit.score == 100


def test_the_best_of_those_who_cover_counts():
    fits = [measure_fit(WANTED, Offered((code,), (), ())) for code in ("en", "es")]
    assert best_score(fits) == (100, None)
    assert best_score([]) == (None, Unknown.NOBODY_COVERS)
    assert best_score([measure_fit(WANTED, Offered((), (), ()))]) == (None, Unknown.NOTHING_KNOWN)


codes = st.lists(st.sampled_from(["a1", "b2", "c3", "d4"]), unique=True, max_size=4).map(tuple)
offers = st.builds(Offered, codes, codes, codes)
wants = st.builds(Wanted, st.none() | st.sampled_from(["a1", "b2"]), st.none() | st.just("c3"), codes)


@given(wants, offers, st.sampled_from(["a1", "b2", "c3", "d4"]))
def test_to_bring_more_never_lowers_a_part_that_is_known(wanted: Wanted, offered: Offered, more: str):
    richer = Offered(
        *(tuple({*part, more}) for part in (offered.languages, offered.industries, offered.need_kinds))
    )
    for before, after in zip(
        measure_fit(wanted, offered).parts, measure_fit(wanted, richer).parts, strict=True
    ):
        assert before.score is None or (after.score is not None and after.score >= before.score)
        assert set(before.met) <= set(after.met)
        assert after.score is None or 0 <= after.score <= 100
        assert before.name in PartName
