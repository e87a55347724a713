"""One clear sentence, and the fix, for each thing that a machine may lack."""

import socket
from contextlib import ExitStack

import pytest

from deploy.local import java, kafka_jars, postgres_binaries
from deploy.local.ports import LOOPBACK
from deploy.local.preflight import require_disk, require_python
from deploy.local.settings import LocalSettings
from deploy.local.trouble import Trouble


@pytest.fixture
def taken_port():
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        yield server.getsockname()[1]


def test_an_old_python_is_named():
    with pytest.raises(Trouble, match=r"This is Python 3\.10; Bailiwick needs 3\.11 or newer"):
        require_python((3, 10))


def test_a_full_disk_is_refused(tmp_path):
    with pytest.raises(Trouble, match=r"Only 0\.5 GiB are free at .*; a run wants 2 GiB"):
        require_disk(tmp_path, lambda _: 512 * 1024**2)


def test_a_folder_that_is_not_there_yet_counts_as_its_disk(tmp_path):
    require_disk(tmp_path / "not" / "yet")


def test_a_taken_port_is_named_with_the_variable_that_changes_it(taken_port):
    settings = LocalSettings.read({**_free_ports(), "METRICS_PORT": str(taken_port)})

    with pytest.raises(Trouble) as refused:
        settings.require_free_ports()

    assert (
        refused.value.sentence
        == f"Port {taken_port} on 127.0.0.1, wanted for metrics, is taken by another program."
    )
    assert "METRICS_PORT=" in refused.value.fix


def test_the_port_of_an_engine_elsewhere_may_be_taken(taken_port):
    settings = LocalSettings.read(
        {"KAFKA_PORT": str(taken_port), "KAFKA_BOOTSTRAP_SERVERS": "broker.example:9092"}
    )

    assert taken_port not in settings.own_ports.values()


def test_two_names_for_one_port_are_refused():
    ports = _free_ports()
    ports["COLLAB_PORT"] = ports["METRICS_PORT"]
    with pytest.raises(Trouble, match=f"COLLAB_PORT and METRICS_PORT are both {ports['METRICS_PORT']}"):
        LocalSettings.read(ports).require_free_ports()


def _free_ports() -> dict[str, str]:
    """Return a port for each program, so that one that runs on this machine does not matter."""
    names = ("ASSIGNMENT", "METRICS", "COLLAB", "POSTGRES", "KAFKA")
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in names]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return {f"{name}_PORT": str(one.getsockname()[1]) for name, one in zip(names, sockets, strict=True)}


@pytest.mark.parametrize("given", ["0", "65536", "x", "-1"])
def test_a_port_that_is_none_is_refused(given):
    with pytest.raises(Trouble, match=f"POSTGRES_PORT={given} is no port"):
        LocalSettings.read({"POSTGRES_PORT": given})


def test_a_machine_without_java_learns_what_to_install(monkeypatch):
    monkeypatch.setattr(java, "candidates", lambda: iter(()))

    with pytest.raises(Trouble, match="needs Java 17 or newer and there is none here") as refused:
        java.find_java.__wrapped__()

    assert "apt-get install default-jre-headless" in refused.value.fix


def test_an_old_java_is_named(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin" / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setattr(java, "candidates", lambda: iter([tmp_path]))

    with pytest.raises(Trouble, match=f"{tmp_path} is Java 8"):
        java.find_java.__wrapped__()


def test_a_machine_without_maven_learns_the_three_ways_out(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Trouble, match="there is no `mvn` here") as refused:
        kafka_jars.require_maven()

    for way in ("apt-get install maven", "KAFKA_HOME", "KAFKA_BOOTSTRAP_SERVERS"):
        assert way in refused.value.fix


def test_a_pg_bin_dir_without_postgres_is_refused_not_skipped(monkeypatch, tmp_path):
    monkeypatch.setenv("PG_BIN_DIR", str(tmp_path))

    with pytest.raises(Trouble, match="holds no postgres"):
        postgres_binaries.find_postgres.__wrapped__()
