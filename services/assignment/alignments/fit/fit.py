"""How well a rep fits an account: does the rep speak its language, know its industry, look after its needs? Pure.

Each part is a share from 0 to 100 of what the account asks for, or unknown with a reason; the score is the mean
of the parts that are known, weighted. A part that nobody knows weighs nothing: silence is no misfit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from services.assignment.rules.condition import INDEX, SEPARATOR
from services.assignment.rules.evaluation import Values


class PartName(StrEnum):
    """What fit is made of."""

    LANGUAGE = "language"
    INDUSTRY = "industry"
    NEEDS = "needs"


WEIGHTS = {PartName.LANGUAGE: 2, PartName.INDUSTRY: 1, PartName.NEEDS: 1}
"""Who does not speak with a customer cannot make up for it by knowing the trade."""


MISFIT = 50
"""Whoever scores below this meets less than half of what the account asks for: not speaking its language is enough."""


class Unknown(StrEnum):
    """Why a part or a score is not known."""

    ACCOUNT_SAYS_NOTHING = "account-says-nothing"
    REP_SAYS_NOTHING = "rep-says-nothing"
    NOTHING_KNOWN = "nothing-known"
    NO_TERRITORY = "no-territory"
    NOBODY_COVERS = "nobody-covers"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an account asks for."""

    language: str | None
    industry: str | None
    needs: tuple[str, ...]

    @classmethod
    def of(cls, values: Values) -> "Wanted":
        """Read it from an account's values, as rules see them."""
        needs = values[_NEED]
        return cls(
            values[_LANGUAGE], values[_INDUSTRY], () if needs is None else tuple(needs.split(SEPARATOR))
        )


_LANGUAGE, _INDUSTRY, _NEED = INDEX["language"], INDEX["industry"], INDEX["need"]


@dataclass(frozen=True, slots=True)
class Offered:
    """What a rep brings."""

    languages: tuple[str, ...]
    industries: tuple[str, ...]
    need_kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One part: what is wanted, what of it is met and what is not, and the share in percent, or why not."""

    name: PartName
    weight: int
    score: int | None
    reason: Unknown | None
    met: tuple[str, ...]
    unmet: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """The score in percent, or why there is none, and the parts it is made of."""

    score: int | None
    reason: Unknown | None
    parts: tuple[Part, ...]


def measure_fit(wanted: Wanted, offered: Offered) -> Fit:
    """Return how well what is offered fits what is wanted."""
    languages = frozenset(_primary(code) for code in offered.languages)
    parts = (
        _part(
            PartName.LANGUAGE,
            _maybe(wanted.language),
            offered.languages,
            # A dialect is understood by who speaks the language.
            lambda code: _primary(code) in languages,
        ),
        _part(
            PartName.INDUSTRY,
            _maybe(wanted.industry),
            offered.industries,
            lambda industry: industry.casefold() in {one.casefold() for one in offered.industries},
        ),
        _part(PartName.NEEDS, wanted.needs, offered.need_kinds, lambda kind: kind in offered.need_kinds),
    )
    known = [(part.score, part.weight) for part in parts if part.score is not None]
    if not known:
        return Fit(None, Unknown.NOTHING_KNOWN, parts)
    weight = sum(weight for _, weight in known)
    return Fit(round(sum(score * weight for score, weight in known) / weight), None, parts)


def best_score(fits: Iterable[Fit]) -> tuple[int | None, Unknown | None]:
    """Return the score of the rep who fits best, or why there is none."""
    several = list(fits)
    scores = [fit.score for fit in several if fit.score is not None]
    if scores:
        return max(scores), None
    return None, Unknown.NOTHING_KNOWN if several else Unknown.NOBODY_COVERS


@dataclass(slots=True)
class FitTally:
    """The accounts of a territory, each by the score of the rep who fits it best; unscored ones ask for nothing known."""

    scored: int = 0
    unscored: int = 0
    misfits: int = 0
    total: int = 0

    def add(self, score: int | None) -> None:
        """Count an account."""
        if score is None:
            self.unscored += 1
            return
        self.scored += 1
        self.total += score
        self.misfits += score < MISFIT


@dataclass(slots=True)
class Scorer:
    """Scores accounts against those who cover their territory; equal accounts of one territory are scored once."""

    offered: Mapping[UUID, Sequence[Offered]]
    _known: dict[tuple[UUID, Wanted], int | None] = field(default_factory=dict)

    def score(self, territory_id: UUID, wanted: Wanted) -> int | None:
        """Return how well the best of those who cover a territory fits; None where nothing is known, or nobody covers."""
        key = (territory_id, wanted)
        if key not in self._known:
            covering = self.offered.get(territory_id, ())
            self._known[key] = best_score(measure_fit(wanted, offered) for offered in covering)[0]
        return self._known[key]


def _part(
    name: PartName, wanted: tuple[str, ...], offered: tuple[str, ...], meets: Callable[[str], bool]
) -> Part:
    if not wanted:
        return Part(name, WEIGHTS[name], None, Unknown.ACCOUNT_SAYS_NOTHING, (), ())
    if not offered:
        return Part(name, WEIGHTS[name], None, Unknown.REP_SAYS_NOTHING, (), wanted)
    met = tuple(one for one in wanted if meets(one))
    unmet = tuple(one for one in wanted if one not in met)
    return Part(name, WEIGHTS[name], round(100 * len(met) / len(wanted)), None, met, unmet)


def _maybe(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _primary(code: str) -> str:
    return code.partition("-")[0]
