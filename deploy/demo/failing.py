"""The one way in which the demo fails: a sentence for the person who watches."""


class DemoFailed(RuntimeError):
    """Something did not happen, or figures disagree; the message says which."""
