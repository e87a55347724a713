from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.http.pagination import InvalidCursor, PageRequest, decode_cursor, encode_cursor, page_of


@given(st.uuids())
def test_a_cursor_comes_back_as_its_key(key: UUID):
    assert decode_cursor(encode_cursor(key)) == key


@given(st.one_of(st.text(max_size=200), st.from_regex(r"[A-Za-z0-9_=-]{0,80}", fullmatch=True)))
def test_anything_else_is_refused(cursor: str):
    try:
        key = decode_cursor(cursor)
    except InvalidCursor:
        return
    assert encode_cursor(key) == cursor


@given(st.lists(st.uuids(), unique=True, max_size=40), st.integers(1, 10))
def test_pages_add_up_to_the_whole(keys: list[UUID], limit: int):
    rows, seen, after = sorted(keys), [], None
    while True:
        request = PageRequest(limit=limit, after=after)
        found = [key for key in rows if after is None or key > after][: limit + 1]
        items, cursor = page_of(found, request, lambda key: key)
        seen += items
        if cursor is None:
            break
        after = decode_cursor(cursor)
    assert seen == rows
