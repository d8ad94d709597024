"""The demo: alerts as soon as the stream is up, the rest behind it, and what a failure leaves."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from fraudwatch.adapters.artefacts.model_pointer import point_to
from fraudwatch.cli import bootstrap_model, dags, demo, dlq_session, model, output
from fraudwatch.domain.models.fitted import ModelKind
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import env_file, runner, system_packages
from fraudwatch.stack.home import ROOT, Home, StackError
from fraudwatch.stack.start_order import with_needs

CHAMPION = "c0ffee" + 58 * "0"
ALERT = {"decided_at_ms": 0, "risk": "HIGH", "outcome": "review", "amount_eur_cents": 125_000}


class World:
    """Records in order what the demo does, and stands for engines and Airflow."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(root=ROOT, runtime=folder / ".runtime", folder=folder / "var")
        self.home.make_folders()
        env_file.ensure(self.home)
        self.steps = list[str]()
        self.printed = list[str]()
        self.script = "print('lake_setup done after 9.0 s', file=__import__('sys').stderr)"
        self.trained = CHAMPION

    def up(self, *_values: object, only: Collection[str]) -> None:
        self.steps.append(f"up {' '.join(sorted(only))}")

    def alerts(self, _kafka: object, _seconds: float) -> Iterator[Mapping[str, Any]]:
        for _ in range(20):
            self.steps.append("alert")
            yield ALERT

    def train(self, *_values: object) -> None:
        self.steps.append("train")
        if self.trained:
            point_to(self.home.folder / "models", ModelKind.XGBOOST, self.trained)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(tmp_path)

    @contextmanager
    def no_airflow() -> Iterator[None]:
        yield None

    def note(step: str, result: object = None) -> Any:
        return lambda *_values: (found.steps.append(step), result)[1]

    monkeypatch.setattr(output, "notify", found.printed.append)
    monkeypatch.setattr(system_packages, "ensure", note("packages"))
    monkeypatch.setattr(runner, "up", found.up)
    monkeypatch.setattr(dlq_session, "endpoints", lambda _home: (None, None))
    monkeypatch.setattr(model, "fit_forest", note("forest", "forest 1234 is active"))
    monkeypatch.setattr(dags, "open_airflow", no_airflow)
    monkeypatch.setattr(bootstrap_model, "train_first_champion", found.train)
    monkeypatch.setattr(demo, "newest_alerts", found.alerts)
    monkeypatch.setattr(demo, "wait_for_ingest", note("ingested"))
    monkeypatch.setattr(demo, "wait_for_scoring", note("scored"))
    monkeypatch.setattr(demo, "up_command", lambda _profile: ["python3", "-c", found.script])
    monkeypatch.setattr(Home, "from_environment", lambda: found.home)
    return found


def test_alerts_are_shown_before_the_history_is_scored_and_before_the_lake(world: World) -> None:
    report = demo.run(world.home, catalogues.load())
    steps = [step for step in world.steps if step != "packages"]
    assert steps[0] == "up cassandra console detector ingest kafka persister"
    assert steps[1 : 1 + demo.FIRST_ALERTS] == ["alert"] * demo.FIRST_ALERTS
    assert steps.index("scored") < steps.index("forest") < steps.index("train")
    assert report.champion == CHAMPION
    assert list(report.seconds)[:2] == ["stream ready", "first alert"]
    assert {"history scored", "isolation forest active", "lake ready"} <= report.seconds.keys()
    assert list(report.seconds)[-2:] == ["first champion", "everything ready"]
    [console] = [line for line in world.printed if "Console: http" in line]
    [alert, *_] = [line for line in world.printed if "1250.00 EUR" in line]
    assert world.printed.index(console) < world.printed.index(alert)


def test_what_is_shown_first_needs_nothing_of_the_lake() -> None:
    shipped = catalogues.load()
    first = with_needs(shipped, demo.stream_services(shipped))
    assert {"detector", "persister", "ingest", "console"} <= first
    assert not first & {"namenode", "metastore", "thrift_server", "airflow_setup", "superset"}


def test_a_failure_behind_the_stream_is_named_after_the_alerts_and_nothing_is_trained(
    world: World,
) -> None:
    world.script = "import sys; sys.exit('fraudwatch: namenode is not ready after 120 s')"
    with pytest.raises(StackError, match="namenode is not ready") as found:
        demo.run(world.home, catalogues.load())
    assert "without lake, Airflow" in str(found.value)
    assert "forest" in world.steps
    assert "train" not in world.steps


def test_a_second_run_trains_nothing_while_a_classifier_is_active(world: World) -> None:
    point_to(world.home.folder / "models", ModelKind.XGBOOST, CHAMPION)
    assert demo.run(world.home, catalogues.load()).champion == CHAMPION
    assert "train" not in world.steps
    assert any("c0ffee" in line and "is active already" in line for line in world.printed)


def test_a_training_without_a_champion_is_reported(world: World) -> None:
    world.trained = ""
    report = demo.run(world.home, catalogues.load())
    assert report.champion is None
    assert "first champion" not in report.seconds
    assert any("no classifier is active yet" in line for line in world.printed)


def test_a_broken_pointer_is_an_error_with_its_cure(world: World) -> None:
    pointer = world.home.folder / "models/champion.json"
    pointer.parent.mkdir()
    pointer.write_text("no pointer")
    with pytest.raises(StackError, match=r"champion\.json does not name the active models"):
        demo.run(world.home, catalogues.load())


@pytest.mark.usefixtures("world")
def test_json_is_exactly_one_object_with_the_seconds_of_each_step() -> None:
    app = typer.Typer()
    app.command()(demo.demo)
    shown = CliRunner().invoke(app, ["--json"])
    assert shown.exit_code == 0, shown.output
    document = json.loads(shown.stdout)
    assert document["champion"] == CHAMPION
    assert document["seconds"]["first alert"] >= 0


def test_milestones_are_those_of_the_machines_profile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "fraudwatch.stack.system_programs.find",
        lambda program: None if program == "grafana-server" else f"/usr/bin/{program}",
    )
    found = {one.title: one for one in demo.milestones(world.home, catalogues.load())}
    assert list(found) == ["lake", "Airflow", "monitoring"]
    assert found["monitoring"].services == {"prometheus", "alertmanager"}
    assert "user operator" in found["Airflow"].hint
