"""Every way in which a command for operators says no; nothing was changed then."""


class Refused(Exception):
    """What was asked for cannot be done; the text says why, and what to do."""


class ReplayFailed(Refused):
    """The handler still refuses, or the record still cannot be read."""


class NotToldAnew(ReplayFailed):
    """What would be given up has not come again under another version."""
