"""Posts facts from several clients at once, as an integration would: named requests, repeated until answered."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import httpx

from tests.faults.facts.ledger import Ledger

BATCH = 500
CLIENTS = 3
_PATIENCE = 120.0


class Load:
    """Batches in as many shares as wanted, each posted when it is released: so faults fall into the posting."""

    def __init__(self, url: str, token: str, *, facts: int, shares: int, seed: int = 1) -> None:
        self.ledger = Ledger()
        self._batches = list(make_batches(facts, seed))
        self._shares = [threading.Event() for _ in range(shares)]
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._threads = ThreadPoolExecutor(CLIENTS)
        self._client = httpx.Client(timeout=httpx.Timeout(20, connect=2))
        self._failures: list[BaseException] = []

    def start(self) -> None:
        """Begin to post, as far as released."""
        for number, batch in enumerate(self._batches):
            share = self._shares[number * len(self._shares) // len(self._batches)]
            self._threads.submit(self._post, batch, share)

    def release(self, share: int) -> int:
        """Let a share go; return how many batches are on their way then, those before included."""
        self._shares[share].set()
        return -(-len(self._batches) * (share + 1) // len(self._shares))

    def finish(self) -> None:
        """Return when every batch was answered or given up."""
        for share in self._shares:
            share.set()
        self._threads.shutdown(wait=True)
        self._client.close()
        if self._failures:
            raise self._failures[0]

    def _post(self, batch: list[dict], share: threading.Event) -> None:
        try:
            share.wait()
            self._post_until_answered(batch)
        except BaseException as failure:  # noqa: BLE001 - a thread has nobody to tell; `finish` does
            self._failures.append(failure)

    def _post_until_answered(self, batch: list[dict]) -> None:
        headers = {**self._headers, "Idempotency-Key": str(uuid4())}
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = self._client.post(f"{self._url}/v1/facts", json={"facts": batch}, headers=headers)
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            if answer.status_code == 202:
                replayed = answer.headers.get("idempotent-replayed") == "true"
                self.ledger.acknowledge(batch, answer.json()["items"], replayed=replayed)
                return
            # 503: the database is away. 409: the first request under this key is still running.
            assert answer.status_code in {409, 503}, f"{answer.status_code} {answer.text[:300]}"
            time.sleep(0.2)
        self.ledger.lose(batch)


def make_batches(facts: int, seed: int) -> Iterator[list[dict]]:
    """Return batches of orders, spend and opportunities, some corrected, voided or told again later."""
    rng = Random(seed)
    known: list[dict] = []
    batch: list[dict] = []
    for number in range(facts):
        again = known and rng.random() < 0.2
        fact = _told_again(rng, known) if again else _new(rng, number)
        if not again and rng.random() < 0.3:
            known.append(fact)
        batch.append(fact)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _new(rng: Random, number: int) -> dict:
    kind = rng.choice(("order", "order", "order", "spend", "opportunity"))
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(300 * 86_400))
    return {
        "source": "load",
        "kind": kind,
        "external_id": f"{kind}-{number}",
        "revision": 1,
        "created_at": at.isoformat(),
        "occurred_at": at.isoformat(),
        "account_external_id": f"A-{rng.randrange(5_000)}",
        "stage": "open" if kind == "opportunity" else None,
        "amount": f"{rng.randrange(1, 10_000_000) / 100:.2f}",
        "currency": "USD",
        "voided": False,
    }


def _told_again(rng: Random, known: list[dict]) -> dict:
    place = rng.randrange(len(known))
    fact = known[place]
    fate = rng.random()
    if fate < 0.3:
        return fact
    changed = {**fact, "revision": fact["revision"] + 1, "voided": fate > 0.85}
    if fact["kind"] == "opportunity":
        changed["stage"] = rng.choice(("won", "lost"))
    else:
        changed["amount"] = f"{rng.randrange(1, 10_000_000) / 100:.2f}"
    known[place] = changed
    return changed
