"""What imports refuse as a whole; what is wrong with single rows is part of the answer instead."""

from shared.runtime.refusals import Refusal


class UnreadableFile(Refusal):
    """The file is not what its content type says."""


class UnsupportedFormat(Refusal):
    """The content type is none that imports read."""
