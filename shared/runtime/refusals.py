"""What the domain says when it will not: an exception that has never heard of HTTP."""

import re
from typing import Any, ClassVar


class Refusal(Exception):
    """A business rule said no; named for what happened. `detail` names the field and the fix.

    The kebab-case of the class name is the stable `code` of the problem: PlanAlreadyActive is
    `plan-already-active`. `extensions` are members added to the problem document. What `passes` by itself is
    tried again where nobody is there to be told.
    """

    code: ClassVar[str] = "refusal"
    passes: ClassVar[bool] = False

    def __init__(self, detail: str, **extensions: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extensions = extensions

    def __init_subclass__(cls) -> None:
        """Derive the code from the name."""
        super().__init_subclass__()
        cls.code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()


class NotFound(Refusal):
    """Nothing by that id that the caller may see; the two are told apart for nobody."""


class VersionMismatch(Refusal):
    """The thing changed since the caller read it."""
