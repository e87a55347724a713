"""Whom Postgres runs as, and what it takes to reach its files."""

import os
import signal
from pathlib import Path

from deploy.local.unprivileged import Identity, first_closed_folder, may_search, ourselves

STRANGER = Identity(54329, 54329)


def test_a_command_that_runs_as_us_is_left_alone(tmp_path):
    assert ourselves().command(["postgres"], reaching=[tmp_path], death_signal=signal.SIGINT) == ["postgres"]


def test_a_folder_without_x_for_others_is_closed(tmp_path):
    closed, open_ = tmp_path / "closed", tmp_path / "open"
    closed.mkdir(mode=0o700)
    open_.mkdir()
    open_.chmod(0o701)

    assert not may_search(STRANGER, closed.stat())
    assert may_search(STRANGER, open_.stat())
    assert may_search(Identity(os.geteuid(), os.getegid()), closed.stat())


def test_open_folders_need_nothing():
    assert first_closed_folder(STRANGER, [Path("/usr/bin")]) is None
