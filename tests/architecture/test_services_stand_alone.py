"""A service is its own folder and shared/: that is what its container image holds."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from services.assignment.consumers import CONSUMERS as ASSIGNMENT
from services.collab.consumers import CONSUMERS as COLLAB
from services.metrics.consumers import CONSUMERS as METRICS
from shared.contracts.registry import CONSUMED
from shared.http.routes import api_routes, dependencies_of
from shared.http.security import Allow, Public
from tests.architecture.source import ROOT, SERVICES
from tests.contract.snapshots import build_app

CONSUMERS = {"assignment": ASSIGNMENT, "metrics": METRICS, "collab": COLLAB}
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if ".migrations" not in module.name:
        importlib.import_module(module.name)
print(*sorted(name for name in sys.modules if name.split(".")[0] in {"services", "deploy", "tests"}))
"""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_with_its_own_folder_and_shared(service: str, tmp_path: Path):
    without_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "shared", tmp_path / "shared", ignore=without_caches)
    shutil.copytree(ROOT / "services" / service, tmp_path / "services" / service, ignore=without_caches)
    (tmp_path / "services/__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL, f"services.{service}"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert f"services.{service}.__main__" in loaded
    assert {name.split(".")[1] for name in loaded if name.count(".")} == {service}


@pytest.mark.parametrize("service", SERVICES)
def test_a_process_without_settings_says_so_and_ends(service: str):
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}", "dance"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"usage: python -m services.{service} api|")
    assert done.stderr.rstrip().endswith("|migrate|events ...")


# A CRM holds no token of ours: its deliveries prove by their signature who sent them.
SIGNED = {"assignment": {"/v1/webhooks/{source}"}}


@pytest.mark.parametrize("service", SERVICES)
def test_only_what_operators_and_tools_need_is_public(service: str):
    """The frame refuses routes without a policy; this says which ones may be open."""
    public, guarded = set(), set()
    for route in api_routes(build_app(service)):
        calls = list(dependencies_of(route))
        if any(isinstance(call, Public) for call in calls):
            public.add(route.path)
        if any(isinstance(call, Allow) for call in calls):
            guarded.add(route.path)
    operated = {"/health/live", "/health/ready", "/metrics", "/asyncapi.json", "/asyncapi"}
    assert public == operated | SIGNED.get(service, set())
    assert guarded
    assert all(path.startswith("/v1/") for path in guarded)
    assert public.isdisjoint(guarded)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_what_the_documents_and_the_topic_list_say(service: str):
    listed = yaml.safe_load((ROOT / "deploy/kafka/topics.yaml").read_text())["consumers"]
    reads = {
        name: [subscription.topic for subscription in subscriptions]
        for name, subscriptions in CONSUMERS[service].items()
    }
    told = {entry["name"]: entry["reads"] for entry in listed if entry["name"].startswith(f"{service}.")}
    assert {name: sorted(topics) for name, topics in reads.items()} == {
        name: sorted(topics) for name, topics in told.items()
    }
    assert {topic for topics in reads.values() for topic in topics} == set(CONSUMED[service])
