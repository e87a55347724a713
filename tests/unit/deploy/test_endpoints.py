"""What scripts read about a run."""

import json

from deploy.local.endpoints import Endpoints
from deploy.local.issuer import DevelopmentIssuer
from deploy.local.settings import LocalSettings
from deploy.local.surroundings import Surroundings

RUNNING = Endpoints(
    urls={"assignment": "http://127.0.0.1:8001"},
    kafka_bootstrap_servers="127.0.0.1:9094",
    database_url="postgresql://postgres:postgres@127.0.0.1:54329/bailiwick",
    database_urls={"assignment": "postgresql://assignment_app:assignment_app@127.0.0.1:54329/bailiwick"},
    pids={"assignment.api": 7},
    logs={"assignment.api": "assignment.api.log"},
    health={"assignment.api": "http://127.0.0.1:8001/health/ready"},
    issuer={"jwks": "jwks.json"},
)


def test_what_is_written_is_read_back(tmp_path):
    RUNNING.write(tmp_path / "endpoints.json")

    assert Endpoints.read(tmp_path / "endpoints.json") == RUNNING


def test_the_names_in_the_file_are_stable(tmp_path):
    RUNNING.write(tmp_path / "endpoints.json")
    document = json.loads((tmp_path / "endpoints.json").read_text())

    assert document.keys() >= {
        "urls",
        "kafka_bootstrap_servers",
        "database_url",
        "database_urls",
        "pids",
        "logs",
        "issuer",
    }


def test_no_file_means_that_nothing_runs(tmp_path):
    assert Endpoints.read(tmp_path / "endpoints.json") is None


def test_a_role_logs_in_where_the_administrator_does(tmp_path, monkeypatch):
    """A managed server's host, port and TLS mode carry over; its administrator's password does not."""
    monkeypatch.setenv("COLLAB_APP_PASSWORD", "p@ss/word")
    surroundings = Surroundings(
        settings=LocalSettings.read({}),
        admin_url="postgresql://admin:secret@db.example:6432/postgres?sslmode=require",
        kafka_bootstrap_servers="broker.example:9092",
        issuer=DevelopmentIssuer(tmp_path, {}),
    )

    assert surroundings.database_url("collab_app") == (
        "postgresql://collab_app:p%40ss%2Fword@db.example:6432/bailiwick?sslmode=require"
    )


def test_a_service_is_told_under_its_own_prefix(tmp_path):
    surroundings = Surroundings(
        settings=LocalSettings.read({"METRICS_PORT": "9002"}),
        admin_url="postgresql://postgres:postgres@127.0.0.1:54329/postgres",
        kafka_bootstrap_servers="127.0.0.1:9094",
        issuer=DevelopmentIssuer(tmp_path, {}),
    )
    told = surroundings.environment_of("metrics", {"KAFKA_SASL_USERNAME": "somebody", "HOME": "/root"})

    assert told["METRICS_HTTP_PORT"] == "9002"
    assert told["METRICS_KAFKA_SASL_USERNAME"] == "somebody"
    assert told["METRICS_AUTH_JWKS"] == str(tmp_path / "jwks.json")
    assert all(name.startswith("METRICS_") for name in told if name != "PYTHONUNBUFFERED")
