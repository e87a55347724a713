"""What the check does in a repository: main, a branch, releases, and what is taken back."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.contract.compatibility import (
    RELEASED,
    TODAY,
    TOPICS,
    WITHDRAWN,
    broken_since_main,
    check,
    release,
)
from tests.contract.snapshots import ROOT, SERVICES

BEGUN_AT = ("assignment.plan.drafted.v1", "/begun_at")
TAKEN_BACK = "- {message: assignment.plan.drafted.v1, place: /begun_at, why: test}\n"


class Repository:
    """A repository of its own, with documents as the code has them, or with a field more in one event."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / TOPICS).parent.mkdir(parents=True)
        (root / TOPICS).write_text((ROOT / TOPICS).read_text())
        for folder in (TODAY, RELEASED):
            (root / folder).mkdir(parents=True)
            self.write(folder, field_more=False)
        self.withdraw("[]\n")

    def write(self, folder: Path, *, field_more: bool) -> None:
        field = "        begun_at:\n          type: string\n" if field_more else ""
        for service in SERVICES:
            text = (ROOT / TODAY / f"{service}.yaml").read_text()
            text = text.replace("        drafted_at:", f"{field}        drafted_at:")
            (self.root / folder / f"{service}.yaml").write_text(text)

    def withdraw(self, lines: str) -> None:
        (self.root / WITHDRAWN).write_text(lines)

    def begin(self) -> None:
        """Have everything on main, and a branch on which work begins."""
        self.git("init", "--initial-branch=main")
        self.commit()
        self.git("checkout", "-b", "work")
        self.git("commit", "--allow-empty", "--message", "work")

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "--message", "documents")

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def broken(self) -> list[tuple[str, str]]:
        return [(finding.message, finding.place) for finding in broken_since_main(self.root) or []]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_what_breaks_main_is_told_until_it_is_withdrawn(repository: Repository):
    repository.write(TODAY, field_more=True)
    assert broken_since_main(repository.root) is None
    repository.begin()
    repository.write(TODAY, field_more=False)
    assert repository.broken() == [BEGUN_AT]
    repository.withdraw(TAKEN_BACK)
    assert repository.broken() == []
    check(repository.root)


@pytest.mark.parametrize("where", ["main", "work"])
def test_what_was_released_cannot_be_withdrawn(repository: Repository, where: str):
    """Nor by a release without it, whether the one that had it is on main or on the branch."""
    if where == "main":
        repository.write(TODAY, field_more=True)
        repository.write(RELEASED, field_more=True)
        repository.begin()
    else:
        repository.begin()
        repository.write(TODAY, field_more=True)
        release(repository.root)
        repository.commit()
    repository.write(TODAY, field_more=False)
    repository.write(RELEASED, field_more=False)
    repository.withdraw(TAKEN_BACK)
    assert repository.broken() == [BEGUN_AT]
    with pytest.raises(SystemExit, match="/begun_at: field-removed"):
        check(repository.root)


def test_a_release_that_breaks_the_one_before_is_not_made(repository: Repository):
    repository.write(RELEASED, field_more=True)
    before = (repository.root / RELEASED / "assignment.yaml").read_text()
    with pytest.raises(SystemExit, match=r"since the release: .*/begun_at: field-removed"):
        release(repository.root)
    assert (repository.root / RELEASED / "assignment.yaml").read_text() == before


def test_a_release_that_adds_is_made_and_begins_the_list_of_what_is_taken_back(repository: Repository):
    repository.write(TODAY, field_more=True)
    repository.withdraw(TAKEN_BACK)
    release(repository.root)
    assert "begun_at" in (repository.root / RELEASED / "assignment.yaml").read_text()
    assert yaml.safe_load((repository.root / WITHDRAWN).read_text()) == []


def test_a_setting_of_the_list_that_no_document_tells_is_told(repository: Repository):
    text = (repository.root / TOPICS).read_text()
    (repository.root / TOPICS).write_text(
        text.replace("    retention.bytes: -1\n", "    retention.bytes: 1000\n", 1)
    )
    with pytest.raises(
        SystemExit, match=f"assignment.plan.events.v1, retention.bytes: 1000 in {TOPICS}, -1 in the document"
    ):
        check(repository.root)
