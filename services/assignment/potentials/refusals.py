"""What potential estimates refuse."""

from shared.runtime.refusals import Refusal


class TooFewKnownAccounts(Refusal):
    """Too few accounts have an amount above zero in the measure and currency to learn from."""


class PotentialEstimateQueued(Refusal):
    """An estimate of this measure and currency waits to be made; another would say the same."""


class PotentialEstimateNotCompleted(Refusal):
    """The estimate waits to be made, or could not be: it has no amounts."""
