"""What people and systems do beside the imports of `tests.faults.load`: facts, figures, notes, inboxes, streams."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import uuid4

import httpx

from tests.faults.fleet import Fleet
from tests.faults.load import KEYS, zipf

FACTS_PER_BATCH = 50
STREAMS = 8
# Before the orders whose figures the fault invariants know by heart.
FROM = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 300


@dataclass(slots=True)
class Heard:
    """What the traffic has sent and was told."""

    orders: dict[str, Decimal] = field(default_factory=dict)
    notes: int = 0
    items: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def take_seconds(self) -> list[float]:
        """Return how long the answers took since this was asked last."""
        taken, self.seconds = self.seconds, []
        return taken


class Traffic:
    """Threads that each do one thing at a steady pace until told to finish."""

    def __init__(
        self, fleet: Fleet, *, seed: int, facts_rate: float, reads_rate: float, notes_rate: float
    ) -> None:
        self.heard = Heard()
        self._fleet = fleet
        self._rng = Random(seed)
        self._stopping = threading.Event()
        self._readers = [str(uuid4()) for _ in range(STREAMS)]
        self._accounts = self._find_accounts()
        headers = {"Authorization": f"Bearer {fleet.token(role='admin', subject='soak')}"}
        self._client = httpx.Client(headers=headers, timeout=30)
        paces = (
            (facts_rate / FACTS_PER_BATCH, self._post_facts),
            (reads_rate, self._read_figures),
            (notes_rate, self._write_note),
        )
        self._threads = [
            *(threading.Thread(target=self._pace, args=pace, daemon=True) for pace in paces),
            *(threading.Thread(target=self._follow, args=(reader,), daemon=True) for reader in self._readers),
        ]
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Send nothing new, and return when everything is answered."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=60)
        self._client.close()

    def _find_accounts(self) -> list[str]:
        listed = self._fleet.api("assignment", role="admin").pages("/v1/accounts")
        return [account["account_id"] for account in listed]

    def _pace(self, rate: float, act: Callable[[], None]) -> None:
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            # What was not done in time is not made up for.
            due = max(due + 1 / rate, time.monotonic() - 1.0)
            try:
                act()
            except httpx.TransportError as error:
                self.heard.wrong.append(f"{act.__name__}: {error!r}")

    def _send(self, name: str, method: str, url: str, **more: object) -> httpx.Response:
        began = time.monotonic()
        answer = self._client.request(method, url, **more)  # type: ignore[arg-type]
        self.heard.seconds.append(time.monotonic() - began)
        self.heard.answers[f"{name} {answer.status_code}"] += 1
        if answer.is_error:
            self.heard.wrong.append(f"{name}: {answer.status_code} {answer.text[:200]}")
        return answer

    def _post_facts(self) -> None:
        """Tell of new orders."""
        batch = [self._order() for _ in range(FACTS_PER_BATCH)]
        url = f"{self._fleet.url('metrics.api')}/v1/facts"
        answer = self._send(
            "facts", "POST", url, json={"facts": batch}, headers={"Idempotency-Key": str(uuid4())}
        )
        if answer.status_code != 202:
            return
        self.heard.orders |= {str(order["external_id"]): Decimal(str(order["amount"])) for order in batch}
        if answer.json()["counts"] != {"accepted": len(batch)}:
            self.heard.wrong.append(f"facts: {answer.text[:300]}")

    def _order(self) -> dict[str, str | int]:
        number = next(self._numbers)
        at = (FROM + timedelta(days=number % DAYS, seconds=number % 86_400)).isoformat()
        return {
            "source": "soak",
            "kind": "order",
            "external_id": f"S-{number}",
            "revision": 1,
            "created_at": at,
            "occurred_at": at,
            "account_external_id": f"K-{zipf(self._rng, KEYS)}",
            "amount": f"{self._rng.randrange(1, 1_000_000) / 100:.2f}",
            "currency": "USD",
        }

    def _read_figures(self) -> None:
        """Ask for a year, by one view or the other."""
        view = self._rng.choice(("as_was", "as_is"))
        query = {"view": view, "from": "2024-01-01", "to": "2025-01-01"}
        self._send("figures", "GET", f"{self._fleet.url('metrics.api')}/v1/figures", params=query)

    def _write_note(self) -> None:
        """Write on an account; now and then read its notes."""
        subject = {"type": "account", "id": self._rng.choice(self._accounts)}
        url = f"{self._fleet.url('collab.api')}/v1/notes"
        body = {"subject": subject, "body": f"Called at {datetime.now(UTC).isoformat()}, interested."}
        answer = self._send("notes", "POST", url, json=body, headers={"Idempotency-Key": str(uuid4())})
        self.heard.notes += answer.status_code == 201
        if self._rng.random() < 0.5:
            self._send("thread", "GET", url, params={"subject_type": "account", "subject_id": subject["id"]})

    def _follow(self, reader: str) -> None:
        """Keep a stream open as a browser does: it ends after five minutes and is opened again where it was."""
        token = self._fleet.token(role="manager", subject=reader)
        url, last = f"{self._fleet.url('collab.api')}/v1/inbox/stream", ""
        with httpx.Client(
            headers={"Authorization": f"Bearer {token}"}, timeout=httpx.Timeout(30, read=45)
        ) as client:
            while not self._stopping.is_set():
                try:
                    with client.stream("GET", url, headers={"Last-Event-ID": last} if last else {}) as answer:
                        self.heard.answers[f"stream {answer.status_code}"] += 1
                        for name, value in _fields(answer.iter_lines()):
                            last = value if name == "id" else last
                            self.heard.items += name == "event"
                            if self._stopping.is_set():
                                return
                except httpx.TransportError as error:
                    self.heard.wrong.append(f"stream: {error!r}")
                    self._stopping.wait(1)


def _fields(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name, value.strip()
