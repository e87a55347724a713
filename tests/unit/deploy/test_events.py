"""Operating what `make start` runs: the command is told what the run's own processes are."""

import sys

from deploy.local.issuer import DevelopmentIssuer
from deploy.local.service_processes import operate
from deploy.local.settings import LocalSettings
from deploy.local.surroundings import Surroundings

# Nobody listens there, and the command says so.
NOWHERE = "127.0.0.1:1"


def test_the_command_is_told_where_the_run_is(tmp_path, capfd):
    surroundings = Surroundings(
        LocalSettings.read(),
        f"postgresql://postgres:postgres@{NOWHERE}/postgres",
        NOWHERE,
        DevelopmentIssuer(tmp_path),
    )
    assert operate("metrics", ["outbox", "list", "--limit", "1"], surroundings) == 4
    assert f"Postgres at {NOWHERE} does not answer" in capfd.readouterr().err
    assert operate("metrics", ["dance"], surroundings) == 2


def test_words_are_handed_on_as_they_are(monkeypatch):
    said = []
    monkeypatch.setattr("deploy.local.__main__.operate", lambda *words: said.append(words[:2]) or 3)
    from deploy.local.__main__ import main  # noqa: PLC0415

    monkeypatch.setattr(sys, "argv", ["local", "events", "metrics", "lag", "--max-age", "60", "--json"])
    assert main() == 3
    assert said == [("metrics", ["lag", "--max-age", "60", "--json"])]
