"""Why something is not done with a policy."""

from shared.runtime.refusals import Refusal


class NothingToPublish(Refusal):
    """The policy has no draft: its last version stays as it is."""


class EffectiveTooEarly(Refusal):
    """A version cannot take effect before the one it replaces."""


class UnknownTerritory(Refusal):
    """The live plan has no such territory."""


class VersionReplaced(Refusal):
    """A version is acknowledged until the next one takes effect."""


class OtherText(Refusal):
    """What was read is not what would be acknowledged."""


class NotAsked(Refusal):
    """Only reps whom the policy concerns acknowledge it."""
