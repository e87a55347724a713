"""A policy, its versions and what may be done with them. Pure.

draft -> version 1, draft -> version 2, ...: a version never changes, and the latest one that has taken effect is in
force. That one is to be acknowledged, and so is each that is to come; it is replaced when the next takes effect.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from uuid import UUID

from services.collab.policies.refusals import (
    EffectiveTooEarly,
    NothingToPublish,
    OtherText,
    VersionReplaced,
)
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Audience:
    """Who must acknowledge: reps who cover in one of the roles, in the subtree; empty and None for all."""

    roles: tuple[str, ...] = ()
    territory_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What the next version would say; it takes effect when it is published unless a later instant is given."""

    title: str
    text: str
    audience: Audience
    effective_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """What was published. Written once."""

    version: int
    title: str
    text: str
    audience: Audience
    effective_from: datetime

    @property
    def fingerprint(self) -> str:
        """Names the text: who acknowledges sends it back, as proof of what they read."""
        return hashlib.sha256(f"{self.title}\n{self.text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Policy:
    """Its versions in their order, and the draft of the next one, if there is one.

    Versions that were replaced may be left out: they never count again.
    """

    versions: tuple[PolicyVersion, ...] = ()
    draft: Draft | None = None

    @property
    def latest(self) -> PolicyVersion | None:
        """The last one that was published."""
        return self.versions[-1] if self.versions else None

    def in_force(self, now: datetime) -> PolicyVersion | None:
        """Return the latest version that has taken effect, None before the first one has."""
        return next((one for one in reversed(self.versions) if one.effective_from <= now), None)

    def standing(self, now: datetime) -> tuple[PolicyVersion, ...]:
        """Return the version in force and those to come: what is to be acknowledged."""
        current = self.in_force(now)
        # One that would begin together with the next never takes effect.
        moments = [one.effective_from for one in self.versions[1:]]
        to_come = [
            one for one, then in zip_longest(self.versions, moments) if now < one.effective_from != then
        ]
        return tuple(to_come) if current is None else (current, *to_come)

    def write(self, draft: Draft) -> "Policy":
        """Say what the next version would say; what is published stays."""
        return replace(self, draft=draft)

    def publish(self, now: datetime) -> tuple["Policy", PolicyVersion]:
        """Make the draft the next version. Raises NothingToPublish or EffectiveTooEarly."""
        if self.draft is None:
            raise NothingToPublish("The policy has no draft; put one first.")
        draft, latest = self.draft, self.latest
        effective_from = max(now, draft.effective_from or now)
        if latest is not None and effective_from < latest.effective_from:
            raise EffectiveTooEarly(
                f"effective_from: version {latest.version} takes effect on "
                f"{latest.effective_from.isoformat()}; put a draft that does so then or later."
            )
        number = 1 if latest is None else latest.version + 1
        published = PolicyVersion(number, draft.title, draft.text, draft.audience, effective_from)
        return Policy((*self.versions, published)), published

    def require_acknowledgeable(self, version: int, fingerprint: str, now: datetime) -> None:
        """Check what somebody wants to acknowledge. Raises NotFound, VersionReplaced or OtherText."""
        if self.latest is None or not 1 <= version <= self.latest.version:
            raise NotFound("version: the policy has no such version.")
        standing = {one.version: one for one in self.standing(now)}
        if version not in standing:
            raise VersionReplaced(f"version: it was replaced; read and acknowledge version {min(standing)}.")
        if fingerprint != standing[version].fingerprint:
            raise OtherText("fingerprint: it is of another text; read the version again.")
