"""A folder is absent or complete."""

import pytest

from deploy.local.build_once import build_once


def test_what_is_there_is_not_built_again(tmp_path):
    build_once(tmp_path / "jars", lambda folder: (folder / "one.jar").touch())
    build_once(tmp_path / "jars", lambda _: pytest.fail("built twice"))

    assert (tmp_path / "jars" / "one.jar").exists()


def test_a_build_that_was_cut_short_starts_afresh(tmp_path):
    def cut_short(folder):
        (folder / "half.jar").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_once(tmp_path / "jars", cut_short)
    assert not (tmp_path / "jars").exists()

    build_once(tmp_path / "jars", lambda folder: (folder / "one.jar").touch())
    assert [file.name for file in (tmp_path / "jars").iterdir()] == ["one.jar"]
