"""The words that operators say after `events`, and what they mean."""

import argparse
import math
import re

MAX_COUNT = (1 << 63) - 1


def parser_of(program: str) -> argparse.ArgumentParser:
    """Return the parser of `events`; what all commands take may stand before or after the verb."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="Look after events: what waits, what was refused, what is built from them.",
        epilog="Exit status: 0 done, 1 refused and nothing changed, 2 wrong words, "
        "3 done with something left to look at, 4 Postgres or Kafka does not answer now.",
    )
    groups = parser.add_subparsers(
        dest="group", required=True, metavar="dlq|outbox|partition|projection|state|versions|lag"
    )
    _add_dlq(groups.add_parser("dlq", help="keys that wait because a record could not be applied"))
    _add_outbox(groups.add_parser("outbox", help="events that wait to be sent, and those that Kafka refuses"))
    _add_partition(groups.add_parser("partition", help="partitions whose log has not what is read next"))
    _add_projection(groups.add_parser("projection", help="tables that are built from events"))
    _add_state(groups.add_parser("state", help="compacted topics that hold what is now"))
    _add_versions(groups.add_parser("versions", help="numbers of events, after a restore of the database"))
    lag = groups.add_parser("lag", help="how far consumers, outbox and relays are")
    lag.add_argument(
        "--max-age", type=seconds, metavar="SECONDS", help="status 3 when something has waited for longer"
    )
    _add_answers(lag)
    return parser


def count(word: str) -> int:
    """Return a number that Postgres can count to. Raises ArgumentTypeError."""
    # Python itself refuses to read thousands of digits.
    found = int(word) if re.fullmatch("[0-9]{1,19}", word) else 0
    if not 1 <= found <= MAX_COUNT:
        raise argparse.ArgumentTypeError(f"{word} is no number from 1 to {MAX_COUNT}")
    return found


def seconds(word: str) -> float:
    """Return a time in seconds. Raises ArgumentTypeError."""
    try:
        found = float(word)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and found >= 0):
        raise argparse.ArgumentTypeError(f"{word} is no time in seconds, such as 60 or 0.5")
    return found


def _add_dlq(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|show|replay|discard|settle")
    _add_answers(verbs.add_parser("list", help="every key that waits, and why"))
    for verb, meaning in (
        ("show", "the records of a key, in the order of a replay"),
        ("replay", "apply a key's records in order, once the cause is mended"),
        ("discard", "give up what blocks a key, then replay the rest"),
    ):
        chosen = verbs.add_parser(verb, help=meaning)
        for name in ("consumer", "topic", "key"):
            chosen.add_argument(name, metavar=name.upper())
        if verb == "discard":
            chosen.add_argument("--reason", help="why, for those who come after you")
        _add_answers(chosen, changes=verb != "show")
    settle = verbs.add_parser("settle", help="give up, of all keys that diverged, what is told anew")
    for name in ("consumer", "topic"):
        settle.add_argument(name, metavar=name.upper())
    settle.add_argument(
        "--accept-loss", action="store_true", help="give up, too, what its publisher has not told anew"
    )
    _add_answers(settle, changes=True)


def _add_outbox(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|quarantine|release")
    found = verbs.add_parser("list", help="quarantined rows, and the oldest of those that wait")
    found.add_argument("--limit", type=count, default=20, help="how many of those that wait (20)")
    _add_answers(found)
    gap = "let later rows of the key go without this one: subscribers will miss a version"
    quarantine = verbs.add_parser("quarantine", help="take a row that Kafka refuses out of the way")
    quarantine.add_argument("seq", type=count, metavar="SEQ")
    quarantine.add_argument("--reason", required=True, help="why, for those who come after you")
    quarantine.add_argument("--allow-gap", action="store_true", help=gap)
    _add_answers(quarantine, changes=True)
    release = verbs.add_parser("release", help="put a row back, in front of the later ones of its key")
    release.add_argument("seq", type=count, metavar="SEQ")
    release.add_argument("--allow-gap", action="store_true", help=gap)
    _add_answers(release, changes=True)


def _add_partition(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|resume")
    _add_answers(verbs.add_parser("list", help="which these are, and what would be lost by going on"))
    resumed = verbs.add_parser(
        "resume", help="go on where the log does: what it has lost is not read any more"
    )
    for name in ("consumer", "topic"):
        resumed.add_argument(name, metavar=name.upper())
    resumed.add_argument("partition", type=int, metavar="PARTITION")
    _add_answers(resumed, changes=True)


def _add_projection(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|rebuild")
    _add_answers(verbs.add_parser("list", help="what each consumer keeps, and whether it can be built anew"))
    rebuild = verbs.add_parser(
        "rebuild", help="build from offset 0 beside the live tables, compare, take their place"
    )
    rebuild.add_argument("consumer", metavar="CONSUMER")
    rebuild.add_argument("topic", metavar="TOPIC", nargs="?", help="needed when the consumer reads several")
    rebuild.add_argument(
        "--accept-difference",
        action="store_true",
        help="take the place also of tables that hold something else",
    )
    _add_answers(rebuild, changes=True)


def _add_versions(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="compare|raise")
    _add_answers(verbs.add_parser("compare", help="keys that were told further than the database knows"))
    raised = verbs.add_parser(
        "raise", help="number above all that was told, and tell anew what readers took for repeats"
    )
    _add_answers(raised, changes=True)


def _add_state(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|republish")
    _add_answers(verbs.add_parser("list", help="which state topics this service writes"))
    republish = verbs.add_parser("republish", help="put every state into the outbox once more")
    republish.add_argument("topic", metavar="TOPIC")
    _add_answers(republish, changes=True)


def _add_answers(parser: argparse.ArgumentParser, *, changes: bool = False) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object per line, for scripts")
    if changes:
        parser.add_argument("--dry-run", action="store_true", help="do all of it, then take it back")
        parser.add_argument(
            "--as",
            dest="operator",
            metavar="NAME",
            help="who is asking, for the audit (the user of the system)",
        )
