"""python -m deploy.local run | start | stop | status | events | token | keys | migrate | migration | topics."""

import argparse
import sys
from collections.abc import Callable, Sequence

import alembic.command

from deploy.local import background, topics
from deploy.local.child import is_alive
from deploy.local.endpoints import Endpoints
from deploy.local.engines import where_engines_are
from deploy.local.issuer import ROLES, SUBJECT, DevelopmentIssuer
from deploy.local.paths import ENDPOINTS, ISSUER, LOCAL
from deploy.local.report import describe_status
from deploy.local.run import DEMO_ACCOUNTS, RunOptions, run
from deploy.local.run_lock import is_running
from deploy.local.service_processes import SERVICE_ROLES, migrate_now, operate
from deploy.local.settings import LocalSettings
from deploy.local.trouble import Trouble
from shared.db.migrations import alembic_config


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    top = argparse.ArgumentParser(prog="python -m deploy.local", description="Run all of Bailiwick here.")
    commands = top.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run", help="run everything in this terminal, until Ctrl-C")
    runs.add_argument("--no-tour", dest="tour", action="store_false", help="seed, but take no tour")
    runs.add_argument("--once", action="store_true", help="end after the tour, with its status")
    runs.add_argument("--with-parent", action="store_true", help="end when the parent process dies")
    runs.add_argument("--background", action="store_true", help=argparse.SUPPRESS)
    starts = commands.add_parser("start", help="run everything in the background")
    for sized in (runs, starts):
        sized.add_argument("--accounts", type=int, default=DEMO_ACCOUNTS, help="size of the demo; 0 for none")
    commands.add_parser("stop", help="end the run of this clone")
    commands.add_parser("status", help="show what runs")
    events = commands.add_parser(
        "events", help="say an operator's command to a service of the run", add_help=False
    )
    events.add_argument("service", choices=SERVICE_ROLES)
    events.add_argument("words", nargs=argparse.REMAINDER)
    commands.add_parser("keys", help="make the development issuer's keys")
    token = commands.add_parser("token", help="print a development token")
    token.add_argument("--role", choices=ROLES, default="admin")
    token.add_argument("--scope", default="*", help="territory id; the whole organisation without it")
    token.add_argument("--subject", default=SUBJECT)
    commands.add_parser("migrate", help="bring the schemas up to date in a Postgres that runs")
    migration = commands.add_parser("migration", help="make a new, empty migration")
    migration.add_argument("--service", choices=SERVICE_ROLES, required=True)
    migration.add_argument("--message", required=True)
    commands.add_parser("topics", help="bring topics in line with topics.yaml", add_help=False)
    return top


def run_here(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Run in this terminal."""
    asked = RunOptions(
        accounts=options.accounts,
        tour=options.tour,
        once=options.once,
        background=options.background,
        with_parent=options.with_parent,
    )
    return run(asked)


def start(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Run in the background."""
    return background.start(["--accounts", str(options.accounts)])


def stop(_options: argparse.Namespace, _: Sequence[str]) -> int:
    """End the run."""
    return background.stop()


def status(_options: argparse.Namespace, _: Sequence[str]) -> int:
    """Show what runs; status 1 when nothing does."""
    endpoints = Endpoints.read(ENDPOINTS)
    if endpoints is None or not is_running(LOCAL):
        print("Nothing runs here. Start it: make run")
        return 1
    alive = [pid for pid in endpoints.pids.values() if is_alive(pid)]
    print("\n".join(describe_status(endpoints, alive)))
    return 0


def events(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Operate what runs."""
    surroundings = where_engines_are(LocalSettings.read(), DevelopmentIssuer(ISSUER))
    return operate(options.service, options.words, surroundings)


def keys(_options: argparse.Namespace, _: Sequence[str]) -> int:
    """Make the keys, once."""
    issuer = DevelopmentIssuer(ISSUER)
    issuer.ensure_keys()
    print(issuer.jwks)
    return 0


def token(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Print a token and nothing else."""
    issuer = DevelopmentIssuer(ISSUER)
    print(issuer.token(role=options.role, scope=options.scope, subject=options.subject))
    return 0


def migrate(_options: argparse.Namespace, _: Sequence[str]) -> int:
    """Upgrade the three schemas."""
    migrate_now(where_engines_are(LocalSettings.read(), DevelopmentIssuer(ISSUER)))
    return 0


def migration(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Write a migration's empty file."""
    alembic.command.revision(alembic_config(service=options.service), message=options.message)
    return 0


def apply(_options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Hand over to the module that also runs alone, in a container."""
    topics.main(list(rest))
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace, Sequence[str]], int]] = {
    "run": run_here,
    "start": start,
    "stop": stop,
    "status": status,
    "events": events,
    "keys": keys,
    "token": token,
    "migrate": migrate,
    "migration": migration,
    "topics": apply,
}


def main() -> int:
    """Carry out one command; a trouble is one sentence, not a traceback."""
    top = parser()
    options, rest = top.parse_known_args()
    if rest and options.command != "topics":
        top.error(f"unknown: {' '.join(rest)}")
    try:
        return COMMANDS[options.command](options, rest)
    except Trouble as trouble:
        print(f"\n{trouble.sentence}\n  -> {trouble.fix}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
