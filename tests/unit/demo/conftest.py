import pytest

from deploy.demo.organisation import Organisation, found_organisation


@pytest.fixture(scope="session")
def organisation() -> Organisation:
    return found_organisation()
