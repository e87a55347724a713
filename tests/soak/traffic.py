"""What people and systems do beside the imports of `tests.faults.load`: facts, figures, notes, inboxes, streams."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from uuid import uuid4

import httpx

from tests.faults.fleet import Fleet
from tests.faults.load import KEYS, zipf
from tests.soak.pace import find_silent
from tests.soak.working import keep_working

FACTS_PER_BATCH = 50
STREAMS = 8
# Before the orders whose figures the fault invariants know by heart.
FROM = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 300


@dataclass(slots=True)
class Heard:
    """What the traffic has sent and was told.

    `acts` are the batches of facts, reads and notes that were sent; `told_at` is when a thread was answered last, on the
    clock of `time.monotonic`; `silent` are the threads that had not been for long when the traffic was finished.
    """

    orders: dict[str, Decimal] = field(default_factory=dict)
    notes: int = 0
    items: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    told_at: dict[str, float] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)

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
        # The last item of a stream, by the stream's name.
        self._seen: dict[str, str] = {}
        self._accounts = self._find_accounts()
        headers = {"Authorization": f"Bearer {fleet.token(role='admin', subject='soak')}"}
        self._client = httpx.Client(headers=headers, timeout=30)
        paces = (
            ("facts", facts_rate / FACTS_PER_BATCH, self._post_facts),
            ("reads", reads_rate, self._read_figures),
            ("notes", notes_rate, self._write_note),
        )
        self._threads = [
            *(self._thread(name, self._pace, name, rate, act) for name, rate, act in paces),
            *(self._thread(f"stream {n}", self._follow, id_) for n, id_ in enumerate(self._readers)),
        ]
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Note which streams have fallen silent, send nothing new, and return when everything is answered."""
        now = time.monotonic()
        self.heard.silent = find_silent(self.heard.told_at, [t.name for t in self._threads], now=now)
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=60)
        self.heard.wrong += [f"{thread.name} does not end" for thread in self._threads if thread.is_alive()]
        self._client.close()

    def _thread(self, name: str, work: Callable[..., None], *arguments: object) -> threading.Thread:
        return threading.Thread(
            target=keep_working,
            args=(name, partial(work, *arguments)),
            kwargs={"stopping": self._stopping, "wrong": self.heard.wrong},
            name=name,
            daemon=True,
        )

    def _find_accounts(self) -> list[str]:
        listed = self._fleet.api("assignment", role="admin").pages("/v1/accounts")
        return [account["account_id"] for account in listed]

    def _pace(self, name: str, rate: float, act: Callable[[], None]) -> None:
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            # What was not done in time is not made up for.
            due = max(due + 1 / rate, time.monotonic() - 1.0)
            act()
            self.heard.acts[name] += 1
            self.heard.told_at[name] = time.monotonic()

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
        name = threading.current_thread().name
        token = self._fleet.token(role="manager", subject=reader)
        url = f"{self._fleet.url('collab.api')}/v1/inbox/stream"
        with httpx.Client(
            headers={"Authorization": f"Bearer {token}"}, timeout=httpx.Timeout(30, read=45)
        ) as client:
            while not self._stopping.is_set():
                last = self._seen.get(name)
                with client.stream("GET", url, headers={"Last-Event-ID": last} if last else {}) as answer:
                    self.heard.answers[f"stream {answer.status_code}"] += 1
                    answer.raise_for_status()
                    for field_, value in _fields(answer.iter_lines()):
                        self.heard.told_at[name] = time.monotonic()
                        if field_ == "id":
                            self._seen[name] = value
                        self.heard.items += field_ == "event"
                        if self._stopping.is_set():
                            return


def _fields(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name, value.strip()
