"""One run per clone."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.local.run_lock import SERVING, STOPPING, RunLock, is_running, is_swept, runner_in, state_in
from deploy.local.trouble import Trouble


def test_a_second_run_is_told_who_runs(tmp_path):
    with RunLock(tmp_path), pytest.raises(Trouble, match=f"already runs, as process {os.getpid()}"):
        RunLock(tmp_path).__enter__()


def test_a_run_that_is_over_leaves_nothing_locked(tmp_path):
    with RunLock(tmp_path) as lock:
        lock.note(SERVING)
        assert is_running(tmp_path)
        assert (runner_in(tmp_path), state_in(tmp_path)) == (os.getpid(), SERVING)

    assert not is_running(tmp_path)
    assert is_swept(tmp_path)


def test_a_sweep_that_goes_on_is_seen_after_the_run(tmp_path):
    """The watchdog holds its copy of the lock until the last child has ended."""
    with RunLock(tmp_path) as lock:
        watchdogs = os.dup(lock.sweep.fileno())

    assert not is_running(tmp_path)
    assert not is_swept(tmp_path)
    os.close(watchdogs)
    assert is_swept(tmp_path)


def test_a_run_that_is_stopping_is_waited_for(tmp_path):
    """Who kills `make` and starts again at once is not told that it runs."""
    stopping = RunLock(tmp_path).__enter__()
    stopping.note(STOPPING)
    with ThreadPoolExecutor() as pool:
        following = pool.submit(RunLock(tmp_path).__enter__)
        assert not following.done()
        stopping.__exit__()
        following.result(timeout=20).__exit__()


def test_a_clone_that_never_ran_does_not_run(tmp_path):
    assert not is_running(tmp_path)
    assert runner_in(tmp_path) == 0
