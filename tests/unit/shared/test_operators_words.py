"""Numbers that operators say: what cannot be meant is refused before anything is asked."""

import pytest

from shared.messaging.operations.arguments import parser_of


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["lag", "--max-age", "0.5"], ("max_age", 0.5)),
        (["lag", "--max-age", "0"], ("max_age", 0.0)),
        (["outbox", "list", "--limit", "1"], ("limit", 1)),
        (["outbox", "release", "9223372036854775807"], ("seq", 9223372036854775807)),
    ],
)
def test_numbers_in_range_are_taken(words, meant):
    name, value = meant
    assert getattr(parser_of("events").parse_args(words), name) == value


@pytest.mark.parametrize(
    "words",
    [
        ["lag", "--max-age", "nan"],
        ["lag", "--max-age", "inf"],
        ["lag", "--max-age=-1"],
        ["lag", "--max-age", "soon"],
        ["outbox", "list", "--limit", "0"],
        ["outbox", "list", "--limit=-1"],
        ["outbox", "release", "0"],
        ["outbox", "quarantine", "9223372036854775808", "--reason", "large"],
        ["outbox", "quarantine", "9" * 5000, "--reason", "large"],
    ],
)
def test_numbers_out_of_range_are_wrong_words(words, capsys):
    with pytest.raises(SystemExit) as ended:
        parser_of("events").parse_args(words)
    assert ended.value.code == 2
    assert " is no " in capsys.readouterr().err
