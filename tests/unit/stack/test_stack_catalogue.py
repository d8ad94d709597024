from __future__ import annotations

import re

import pytest

from fraudwatch.stack import catalogue
from fraudwatch.stack.catalogue import CatalogueError
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import OFFSETS
from fraudwatch.stack.system_programs import missing_lines, runnable_profile

SMALL = """
[a]
summary = "first"
ports = { http = 8000 }
command = "run {root}/x --port {port.a.http}"
[b]
summary = "second"
needs = ["a"]
oneshot = true
command = "{python} -m b"
[b.environment]
PASSWORD = "{setting.B_PASSWORD}"
[profiles]
both = ["b", "a"]
"""


def test_a_profile_is_sorted_by_needs() -> None:
    assert catalogue.parse(SMALL).profile("both") == ("a", "b")


def test_placeholders_are_filled_and_a_space_in_a_path_splits_nothing() -> None:
    found = catalogue.parse(SMALL)
    values = {"root": "/my folder", **found.port_values(11_000)}
    launch = found.launch("a", values)
    assert launch.argv == ("run", "/my folder/x", "--port", "19000")
    assert launch.ports == {"http": 19_000}


def test_an_unknown_placeholder_is_named_with_its_service() -> None:
    with pytest.raises(CatalogueError, match=r"\[b\].*\{setting.B_PASSWORD\}"):
        catalogue.parse(SMALL).launch("b", {"python": "py"})


def test_a_port_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CatalogueError, match="FRAUDWATCH_PORT_OFFSET"):
        catalogue.parse(SMALL).port_values(60_000)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('needs = ["a"]', 'needs = ["c"]'), "needs unknown"),
        (('both = ["b", "a"]', 'both = ["b"]'), "lacks the needed"),
        (('both = ["b", "a"]', 'both = ["d"]'), "unknown"),
        (('summary = "first"', 'summary = "first"\nneeds = ["b"]'), "circular needs"),
        (('summary = "first"', 'summary = "first"\nneed = ["b"]'), r"\[a\].*need"),
    ],
)
def test_a_catalogue_that_cannot_be_started_is_refused(
    change: tuple[str, str], complaint: str
) -> None:
    with pytest.raises(CatalogueError, match=complaint):
        catalogue.parse(SMALL.replace(*change))


OPTIONAL = """
[a]
summary = "first"
program = "no-such-program-a"
program_fix = "apt-get install a"
command = "{program} --port 1"
[a_setup]
summary = "second"
program = "no-such-program-a"
program_fix = "apt-get install a"
needs = ["a"]
command = "x"
[b]
summary = "third"
command = "run"
[profiles]
all = ["a", "a_setup", "b"]
"""


def test_services_without_their_program_are_left_out_with_the_fix() -> None:
    found = catalogue.parse(OPTIONAL)
    assert runnable_profile(found, "all") == ("b",)
    assert missing_lines(found, "all") == [
        "without a and a_setup: not installed on this machine; fix: apt-get install a"
    ]
    present = catalogue.parse(OPTIONAL.replace("no-such-program-a", "sh"))
    assert set(runnable_profile(present, "all")) == {"a", "a_setup", "b"}
    assert missing_lines(present, "all") == []


def test_a_mandatory_service_must_not_need_one_that_may_be_left_out() -> None:
    with pytest.raises(CatalogueError, match=r"\[b\] needs \['a'\].*left out"):
        catalogue.parse(OPTIONAL.replace('summary = "third"', 'summary = "third"\nneeds = ["a"]'))


def test_the_shipped_catalogue_starts_without_any_optional_program() -> None:
    services = catalogue.load().services
    optional = {name for name, service in services.items() if service.program}
    assert optional == {"prometheus", "alertmanager", "grafana", "grafana_setup"}
    assert all(services[name].program_fix for name in optional)
    for service in services.values():
        if service.name not in optional:
            assert not optional & set(service.needs)


SHARED = """
[automatic]
DATABASE = "file:{home}/x.db"
[shared.one]
A = "{root}"
B = "shared"
[shared.two]
C = "{python.other} {setting.DATABASE}"
[a]
summary = "first"
command = "run"
environment_name = "mine"
environment_from = ["one", "two"]
[a.environment]
B = "own"
"""


def test_own_variables_override_shared_ones() -> None:
    found = catalogue.parse(SHARED)
    values = {"root": "/r", "home": "/h", "python.other": "/o/python"}
    values |= found.setting_values({"DATABASE": "auto", "EPOCH": "auto"}, values)
    assert found.launch("a", values).environment == {
        "A": "/r",
        "B": "own",
        "C": "/o/python file:/h/x.db",
    }
    # `auto` that the catalogue does not define is passed to the service.
    assert values["setting.EPOCH"] == "auto"
    assert found.services["a"].environment_names() == {"mine", "other"}
    assert found.setting_names() == {"DATABASE"}


def test_a_value_other_than_auto_is_kept() -> None:
    found = catalogue.parse(SHARED)
    assert found.setting_values({"DATABASE": "mine"}, {}) == {"setting.DATABASE": "mine"}


def test_unknown_shared_variables_are_refused() -> None:
    with pytest.raises(CatalogueError, match=r"\[a\].*\[shared.three\]"):
        catalogue.parse(SHARED.replace('"two"', '"three"'))


def test_only_services_that_run_tasks_get_their_secrets() -> None:
    services = catalogue.load().services
    holders = {name for name, s in services.items() if "EXTRACT_SOURCE_API_KEY" in s.environment}
    assert holders == {"airflow_scheduler", "airflow_dag_processor", "airflow_triggerer"}
    sealed = [s for name, s in services.items() if name.startswith("airflow_")]
    assert len(sealed) == 5
    assert len({s.environment["AIRFLOW__CORE__FERNET_KEY"] for s in sealed}) == 1


def test_the_shipped_catalogue_has_distinct_ports_and_a_probe_for_every_server() -> None:
    services = catalogue.load().services.values()
    ports = [port for service in services for port in service.ports.values()]
    assert len(ports) == len(set(ports))
    assert all(service.oneshot or service.probe for service in services)
    kafka = {"kafka", "kafka_setup", "kafka_lag", "service_usage", "watchdog"}
    assert set(catalogue.load().profile("engines")) == {"cassandra", *kafka}
    assert set(catalogue.load().profile("kafka")) == kafka


def test_every_profile_has_the_watchdog_and_a_vital_service() -> None:
    found = catalogue.load()
    for profile in found.profiles:
        names = found.profile(profile)
        assert "watchdog" in names
        assert any(found.services[name].vital for name in names)


def test_every_profile_fits_into_the_memory_that_the_readme_asks_for() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    asked = re.search(r"(\d+) GiB of free memory", readme)
    assert asked is not None
    found = catalogue.load()
    for profile in found.profiles:
        planned_mib = sum(found.services[name].memory_mib for name in found.profile(profile))
        assert planned_mib <= 1024 * int(asked[1]), f"{profile} plans {planned_mib} MiB"


def test_private_stacks_of_different_offsets_share_no_port() -> None:
    ports = [port for one in catalogue.load().services.values() for port in one.ports.values()]
    apart = {abs(one - other) for one in ports for other in ports if one != other}
    assert [distance for distance in apart if distance % OFFSETS.step == 0] == []
    assert max(ports) + OFFSETS[-1] <= catalogue.HIGHEST_PORT
