"""Clocks jump, twenty ask for one thing, schemas change under load, transactions stay open, keys cannot be read."""

import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deploy.local.issuer import DevelopmentIssuer
from deploy.local.ports import LOOPBACK
from deploy.local.postgres_binaries import find_postgres
from tests.faults.client import Client
from tests.faults.fault import PROCESSES, Fault
from tests.faults.fleet import Fleet
from tests.faults.invariants import Evidence
from tests.faults.stage import Stage

APIS = ("assignment.api", "assignment.api.2")
READERS = ("metrics.consumer", "metrics.consumer.2")


def jump_clocks(stage: Stage) -> None:
    """Set the clock of an api and of a consumer an hour ahead, then an hour back, then right.

    Tokens that were issued this moment are from the future for a clock that is slow: by a minute they are taken.
    """
    statuses = stage.load.tally.statuses
    taken, refused = _answer_to_a_new_token(stage, "-45"), _answer_to_a_new_token(stage, "-75")
    stage.remark(f"a new token answered {taken} by a clock 45 s slow, {refused} by one 75 s slow")
    stage.require(
        that=(taken, refused) == (200, 401), otherwise=f"leeway of tokens is not 60 s: {taken}, {refused}"
    )
    ahead = _refused_while(stage, "3600")
    back = _refused_while(stage, "-3600")
    stage.fleet.disarm("shifted-clock")
    stage.remark(f"{ahead} tokens refused an hour ahead, {back} an hour back")
    stage.require(that=not ahead, otherwise=f"{ahead} valid tokens refused an hour ahead")
    stage.require_hurt(that=back > 0, otherwise="tokens of the future were taken, beyond the leeway of 60 s")
    stage.require(that=not statuses[500], otherwise=f"{statuses[500]} answers 500")


def _answer_to_a_new_token(stage: Stage, seconds: str) -> int:
    stage.fleet.arm("shifted-clock", seconds)
    client = Client(stage.fleet.token(role="admin"))
    status = client.send("GET", f"{stage.fleet.url(APIS[1])}/v1/plans").status
    client.close()
    return status


def _refused_while(stage: Stage, seconds: str) -> int:
    stage.fleet.arm("shifted-clock", seconds)
    stage.hold(1)
    before = stage.load.tally.statuses[401]
    stage.hold(9)
    return stage.load.tally.statuses[401] - before


def ask_for_one_thing(stage: Stage) -> None:
    """Have twenty reps start to cover one territory at one instant, five times over."""
    assignment = stage.fleet.api("assignment", role="admin")
    rows = ({"external_id": f"R-{n}", "name": f"R-{n}"} for n in range(20))
    assignment.upload("/v1/reps/imports", rows)
    reps = [rep["rep_id"] for rep in assignment.pages("/v1/reps")]
    territories = [
        row["territory_id"]
        for row in stage.database.rows("""
        SELECT DISTINCT territory_id::text FROM assignment.open_alignments WHERE territory_id IS NOT NULL LIMIT 5
    """)
    ]
    stage.require_hurt(that=len(territories) == 5, otherwise=f"only {len(territories)} territories to cover")
    told: Counter[int] = Counter()
    for territory in territories:
        at = datetime.now(UTC).isoformat()
        with ThreadPoolExecutor(20) as threads:
            asked = [threads.submit(_cover, stage, n, territory, rep, at) for n, rep in enumerate(reps)]
            statuses = Counter(one.result() for one in asked)
        told += statuses
        stage.require(
            that=statuses[201] == 1 and statuses[201] + statuses[409] + statuses[412] == 20,
            otherwise=f"answers of twenty: {dict(statuses)}",
        )
    stage.remark(f"answers {dict(told)}")
    overlaps = stage.database.value("""
        SELECT count(*) FROM assignment.coverages a JOIN assignment.coverages b
        ON a.territory_id = b.territory_id AND a.coverage_id < b.coverage_id AND a.role = b.role
           AND a.role = 'primary' AND a.valid && b.valid
    """)
    stage.require(that=overlaps == 0, otherwise=f"{overlaps} pairs of coverages overlap")


def _cover(stage: Stage, number: int, territory: str, rep: str, at: str) -> int:
    client = Client(stage.fleet.token(role="admin", subject=f"chief-{number}"))
    body = json.dumps({"territory_id": territory, "rep_id": rep, "valid_from": at}).encode()
    url = f"{stage.fleet.url(APIS[number % 2])}/v1/coverages"
    reply = client.send("POST", url, body=body, headers={"Content-Type": "application/json"})
    client.close()
    return reply.status


def change_schema(stage: Stage) -> None:
    """Add columns to busy tables, then restart every process of both services in turn."""
    for table in ("assignment.accounts", "assignment.alignments", "assignment.outbox", "metrics.accounts"):
        # As migrations do it: a lock that is not granted soon is given up and asked for again.
        stage.wait(lambda t=table: _added(stage, t), what=f"a column more in {table}")
    for name in PROCESSES:
        took, code = stage.fleet.terminate(name)
        stage.require(that=code == 0, otherwise=f"{name} ended with {code} after {took:.1f} s")
        stage.fleet.start(name)


def _added(stage: Stage, table: str) -> str | None:
    schema = table.partition(".")[0]
    statements = f"""
        SET lock_timeout = '2s'; SET ROLE {schema}_owner;
        ALTER TABLE {table} ADD COLUMN IF NOT EXISTS added_under_load text
    """
    try:
        stage.database.run(statements)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told if it lasts
        return f"{type(error).__name__}: {error}"
    return None


def hold_snapshot(stage: Stage) -> None:
    """Keep a REPEATABLE READ transaction open for 60 s; the outbox has to drain at half its speed or more."""
    baseline = _drain(stage, "calm")
    with _open_snapshot(stage):
        stage.hold(60)
        held = _drain(stage, "held")
    stage.remark(f"{baseline:.0f} events a second, {held:.0f} beside the open transaction")
    stage.require(that=held >= baseline / 2, otherwise=f"{held:.0f} a second instead of {baseline:.0f}")


def _drain(stage: Stage, name: str) -> float:
    """Pile up events with the relays stopped; return how many a second they send when they go on."""
    relays = ("assignment.relay", "assignment.relay.2")
    for relay in relays:
        stage.fleet.terminate(relay)
    rows = ({"external_id": f"{name}-{n}", "name": f"{name}-{n}", "county": "01001"} for n in range(10_000))
    stage.fleet.api("assignment", role="admin").upload("/v1/accounts/imports", rows)
    waiting = stage.database.value("SELECT count(*) FROM assignment.outbox")
    last = stage.database.value("SELECT max(seq) FROM assignment.outbox")
    stage.fleet.start(*relays)
    began = time.monotonic()
    left = "SELECT count(*) FROM assignment.outbox WHERE seq <= $1"
    already = waiting - stage.database.value(left, last)
    stage.wait(lambda: "rows left" if stage.database.value(left, last) else None, what="the outbox")
    return (waiting - already) / (time.monotonic() - began)


@contextmanager
def _open_snapshot(stage: Stage) -> Iterator[None]:
    """Keep a transaction open that sees the past, in a session of its own."""
    psql = [find_postgres().path("psql"), "--no-psqlrc", "--quiet", "-d", stage.fleet.database_url()]
    session = subprocess.Popen(psql, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert session.stdin is not None
    assert session.stdout is not None
    session.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM assignment.outbox;\n")
    session.stdin.flush()
    assert session.stdout.readline().strip() == "count"
    try:
        yield
    finally:
        session.communicate("COMMIT;\n", timeout=30)


class Issuer:
    """An identity provider's key set over HTTP, which may be away, and which is asked as seldom as can be."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.keys: list[dict[str, str]] = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                self.send_response(503 if issuer.away else 200)
                self.end_headers()
                if not issuer.away:
                    self.wfile.write(json.dumps({"keys": issuer.keys}).encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}/jwks.json"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def publish(self, *sets: Path) -> None:
        """Publish the keys of these files."""
        self.keys = [key for file in sets for key in json.loads(file.read_text())["keys"]]


_issuers: list[Issuer] = []


def _with_issuer(fleet: Fleet) -> None:
    issuer = Issuer()
    issuer.publish(fleet.jwks)
    _issuers[:] = [issuer]
    fleet.tell("assignment.api", AUTH_JWKS=issuer.url)


def lose_issuer(stage: Stage) -> None:
    """Take the issuer away and bring strange tokens; then rotate its key."""
    issuer = _issuers[0]
    issuer.away = True
    stranger = DevelopmentIssuer(stage.fleet.folder / "stranger")
    stranger.ensure_keys()
    asked, began = issuer.asked, time.monotonic()
    statuses: Counter[int] = Counter()
    client = Client(stranger.token(role="admin"))
    acknowledged = len(stage.load.acknowledged)
    while time.monotonic() - began < 25:
        statuses[client.send("GET", f"{stage.fleet.url(APIS[0])}/v1/plans").status] += 1
    stage.remark(f"{sum(statuses.values())} strange tokens, key set asked for {issuer.asked - asked} times")
    stage.require(that=set(statuses) == {401}, otherwise=f"strange tokens were answered {dict(statuses)}")
    stage.require_hurt(that=issuer.asked > asked, otherwise="nobody asked the issuer while it was away")
    # Two apis, one reading per 30 s each: in 25 s no more than one, or two where a window ends.
    stage.require(that=issuer.asked - asked <= 4, otherwise=f"asked {issuer.asked - asked} times in 25 s")
    stage.require(
        that=len(stage.load.acknowledged) > acknowledged,
        otherwise="known keys did not serve while it was away",
    )
    issuer.publish(stage.fleet.jwks, stranger.jwks)
    issuer.away = False
    stage.wait(
        lambda: (
            None
            if client.send("GET", f"{stage.fleet.url(APIS[0])}/v1/plans").status == 200
            else "the new key is refused"
        ),
        what="the rotated key",
    )
    client.close()


def no_server_error(stage: Stage, _evidence: Evidence) -> None:
    """Nobody may have seen a 500."""
    stage.require(that=not stage.load.tally.statuses[500], otherwise="answers 500")


def _shifted(fleet: Fleet) -> None:
    fleet.tamper("assignment.api.2", "shifted-clock")
    fleet.tamper("metrics.consumer.2", "shifted-clock")


FAULTS = {
    "F30": Fault("clocks an hour ahead, then an hour back", jump_clocks, prepare=_shifted),
    "F31": Fault("twenty reps start to cover one territory at one instant", ask_for_one_thing),
    "F32": Fault("columns added under load, then a rolling restart", change_schema, check=no_server_error),
    "F33": Fault("a transaction that sees the past, open for 60 s", hold_snapshot),
    "F34": Fault(
        "issuer away, then its key rotated", lose_issuer, check=no_server_error, prepare=_with_issuer
    ),
}
