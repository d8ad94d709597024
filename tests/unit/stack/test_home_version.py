from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fraudwatch.home_format import HOME_FORMAT
from fraudwatch.stack import env_file, home_version, upgrade_steps
from fraudwatch.stack.home import ROOT, Home, StackError
from fraudwatch.stack.home_version import HomeVersion
from fraudwatch.stack.upgrade_steps import STEPS, Step, migrate

OURS = home_version.code_version()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(root=ROOT, runtime=tmp_path / "runtime", folder=tmp_path / "home")
    found.make_folders()
    return found


def of_format_1(home: Home, features: str | None = None) -> Home:
    (home.folder / "kafka").mkdir()
    snapshots = home.folder / "detector/snapshots"
    snapshots.mkdir(parents=True)
    if features:
        (snapshots / f"{10:020d}-{features}.manifest").touch()
        (snapshots / f"{9:020d}-0.9.manifest").touch()
    return home


def test_a_new_home_gets_this_codes_version(home: Home) -> None:
    assert home_version.read(home) is None
    home_version.claim(home)
    assert home_version.read(home) == OURS
    home_version.claim(home)


def test_a_home_without_a_record_is_of_format_1_with_its_newest_snapshots_features(
    home: Home,
) -> None:
    found = home_version.read(of_format_1(home, "2.1"))
    assert found == HomeVersion(format=1, features_version="2.1")
    with pytest.raises(StackError, match=r"older version \(format 1.*run \./fraudwatch upgrade"):
        home_version.claim(home)


def test_a_home_that_scored_nothing_names_no_features(home: Home) -> None:
    found = home_version.read(of_format_1(home))
    assert found is not None
    assert found.features_version is None


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (replace(OURS, format=HOME_FORMAT + 1), "use the newer version that made it"),
        (replace(OURS, format=HOME_FORMAT - 1), r"run \./fraudwatch upgrade"),
        (replace(OURS, features_version="0.9"), r"features version 0\.9.*fraudwatch upgrade"),
    ],
)
def test_a_home_of_another_version_is_refused(
    home: Home, version: HomeVersion, reason: str
) -> None:
    home_version.write(home, version)
    with pytest.raises(StackError, match=reason):
        home_version.claim(home)


def test_features_are_recorded_once_something_runs(home: Home) -> None:
    home_version.write(home, replace(OURS, features_version=None))
    home_version.claim(home)
    assert home_version.read(home) == OURS


@pytest.mark.parametrize("text", ["", "[]", '{"format": "new"}', '{"format": 2}'])
def test_a_damaged_record_is_refused(home: Home, text: str) -> None:
    (home.folder / home_version.FILE).write_text(text)
    with pytest.raises(StackError, match="is damaged"):
        home_version.read(home)


def test_a_half_restored_home_is_refused(home: Home) -> None:
    (home.folder / home_version.UNFINISHED_RESTORE).touch()
    with pytest.raises(StackError, match="was not finished"):
        home_version.claim(home)


def test_steps_run_once_in_order_and_a_killed_upgrade_goes_on(home: Home) -> None:
    ran: list[str] = []
    is_broken = True

    def second(_: Home) -> None:
        if is_broken:
            raise KeyboardInterrupt
        ran.append("second")

    steps = [
        Step(name="first", from_format=1, run=lambda _: ran.append("first")),
        Step(name="second", from_format=1, run=second),
        Step(name="of an earlier format", from_format=0, run=lambda _: ran.append("earlier")),
    ]
    of_format_1(home, OURS.features_version)

    def upgrade() -> tuple[str, ...]:
        found = home_version.read(home)
        assert found is not None
        return migrate(home, found, print, steps)

    with pytest.raises(KeyboardInterrupt):
        upgrade()
    with pytest.raises(StackError, match="older version"):
        home_version.claim(home)
    is_broken = False
    assert upgrade() == ("second",)
    assert ran == ["first", "second"]
    home_version.claim(home)
    assert upgrade() == ()


def test_there_is_a_step_from_each_older_format() -> None:
    assert {step.from_format for step in STEPS} == set(range(1, HOME_FORMAT))
    assert len({step.name for step in STEPS}) == len(STEPS)


def test_the_old_defaults_of_airflows_metrics_become_todays(home: Home, tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    root.mkdir()
    (root / ".env.example").write_text(
        "AIRFLOW_STATSD_ON=True\nAIRFLOW_STATSD_HOST=auto\nAIRFLOW_STATSD_PORT=auto\n"
    )
    home = replace(home, root=root)
    old = "A=1\nAIRFLOW_STATSD_ON=False\nAIRFLOW_STATSD_HOST=127.0.0.1\nAIRFLOW_STATSD_PORT={}\n"
    home.env_file.write_text(old.format(8125))
    upgrade_steps.renew_statsd_defaults(home)
    assert env_file.parse(home.env_file.read_text()) == {
        "A": "1",
        "AIRFLOW_STATSD_ON": "True",
        "AIRFLOW_STATSD_HOST": "auto",
        "AIRFLOW_STATSD_PORT": "auto",
    }
    home.env_file.write_text(old.format(9999))
    upgrade_steps.renew_statsd_defaults(home)
    assert home.env_file.read_text() == old.format(9999)


def test_the_record_can_be_read_by_a_person(home: Home) -> None:
    home_version.claim(home)
    text = (home.folder / home_version.FILE).read_text()
    assert json.loads(text)["format"] == HOME_FORMAT
    assert len(text.splitlines()) > 3
