"""Bodies of the vocabulary of needs."""

from typing import Annotated

from pydantic import Field

from shared.http.bodies import Body, Name, View

KindCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$", description="A code of the vocabulary.")]


class NeedKindBody(Body):
    """A kind of need."""

    title: Name
    retired: bool = False


class NeedKindView(View):
    """A kind of need; a retired one is given to no new need."""

    code: str
    title: str
    retired: bool
    version: int


class NeedKindsView(View):
    """The vocabulary of needs."""

    items: list[NeedKindView]
