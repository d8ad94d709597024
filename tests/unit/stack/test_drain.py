from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from xmlrpc.client import Fault

import pytest
from confluent_kafka import KafkaError, KafkaException

from fraudwatch.stack import catalogue, new_features, positions, quiet_stack, upgrade
from fraudwatch.stack.drain import Backlog, wait_until_drained
from fraudwatch.stack.home import ROOT, Home, StackError
from fraudwatch.stack.supervisor import Process

EMPTY = Backlog()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def drain(backlogs: Iterator[Backlog], patience_seconds: float = 3.0) -> Clock:
    clock = Clock()
    wait_until_drained(
        lambda: next(backlogs),
        lambda _: None,
        patience_seconds=patience_seconds,
        clock=lambda: clock.now,
        sleep=clock.sleep,
    )
    return clock


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (Backlog(unscored=3), "3 transactions are not scored"),
        (Backlog(begun_batch=0), "micro-batch 0 is begun and not committed"),
        (Backlog(unread={"tally": 2, "persister": 0}), "tally has 2 messages to store"),
        (Backlog(absent=("persister",)), "persister has not joined its group"),
    ],
)
def test_each_kind_of_backlog_is_waited_for_and_named(left: Backlog, text: str) -> None:
    assert left.text == text
    assert drain(iter([left, left, EMPTY])).now == 2
    with pytest.raises(StackError, match=f"no progress for 3 s: {text}"):
        drain(iter([left] * 9))


def test_an_empty_backlog_needs_no_wait() -> None:
    assert EMPTY.is_empty
    assert Backlog(unread={"tally": 0}).is_empty
    assert drain(iter([EMPTY])).now == 0


def test_progress_renews_the_patience() -> None:
    shrinking = [Backlog(unscored=count) for count in range(20, 0, -1)]
    assert drain(iter([*shrinking, EMPTY])).now == 20


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(root=ROOT, runtime=tmp_path / "runtime", folder=tmp_path / "home")
    found.make_folders()
    return found


def begin_batch(home: Home, begun: int, committed: int | None) -> None:
    for kind, newest in (("offsets", begun), ("commits", committed)):
        folder = home.folder / "detector/checkpoint" / kind
        folder.mkdir(parents=True)
        for number in range(0 if newest is None else newest + 1):
            (folder / str(number)).touch()


def test_a_begun_batch_is_refused_with_the_cure(home: Home) -> None:
    quiet_stack.refuse_begun_batch(home)
    begin_batch(home, begun=4, committed=3)
    with pytest.raises(StackError, match=r"micro-batch 4 was begun.*start the version that"):
        quiet_stack.refuse_begun_batch(home)


def test_a_committed_batch_is_not_begun(home: Home) -> None:
    begin_batch(home, begun=4, committed=4)
    quiet_stack.refuse_begun_batch(home)


class Services:
    """Services of a supervisor that records what is called."""

    def __init__(self, *running: str) -> None:
        self.running = set(running)
        self.calls: list[str] = []

        self.state = "RUNNING"

    def processes(self, _: Home) -> Mapping[str, Process]:
        return {
            name: Process(name=name, state=self.state, pid=9, exit_status=0, uptime_seconds=9)
            for name in self.running
        }

    def process(self, _: Home, name: str) -> Process:
        state = self.state if name in self.running else "STOPPED"
        return Process(name=name, state=state, pid=9, exit_status=0, uptime_seconds=9)

    def call(self, _: Home, method: str, name: str) -> None:
        self.calls.append(f"{method} {name}")
        if self.state == "EXITED":  # supervisord starts it again, and then it can be stopped
            self.state = "RUNNING"
            raise Fault(70, "NOT_RUNNING")
        self.running.discard(name)

    def start_process(self, _: Home, name: str) -> None:
        self.calls.append(f"start {name}")
        self.running.add(name)


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    made = Services("kafka", "ingest", "rest_api", "console", "detector", "persister", "tally")
    for name in ("processes", "process", "call", "start_process"):
        monkeypatch.setattr(quiet_stack.supervisor, name, getattr(made, name))
    monkeypatch.setattr(quiet_stack.supervisor, "is_alive", lambda _: True)
    return made


class Reader:
    """Positions of a stack that is drained, unless it has something left."""

    left = EMPTY

    @classmethod
    def of(cls, *_: object) -> Reader:
        return cls()

    def backlog(self) -> Backlog:
        return self.left

    def positions(self) -> str:
        return "positions"


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> type[Reader]:
    class Mine(Reader):
        pass

    monkeypatch.setattr(quiet_stack, "PositionReader", Mine)
    return Mine


def test_entrances_stop_first_and_scoring_stops_when_all_is_done(
    home: Home, services: Services
) -> None:
    with quiet_stack.drained(home, catalogue.load(), {}, print) as found:
        assert str(found) == "positions"
    assert services.calls == [
        f"stopProcess {name}"
        for name in ("console", "rest_api", "ingest", "detector", "persister", "tally")
    ]


def test_a_service_that_has_just_crashed_is_waited_for(
    home: Home, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_batch(home, begun=4, committed=4)
    services.running.add("kafka_setup")
    services.state = "EXITED"
    monkeypatch.setattr(quiet_stack.time, "sleep", lambda _: None)
    with quiet_stack.drained(home, catalogue.load(), {}, print):
        assert not {"ingest", "console", "detector"} & services.running
        assert "stopProcess kafka_setup" not in services.calls


class Flaky:
    """Broker that does not answer at first."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def read(self) -> str:
        if self.failures:
            self.failures -= 1
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return "read"


def test_a_busy_broker_is_asked_again_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(positions.time, "sleep", waited.append)
    assert positions._retried(Flaky(2).read) == "read"
    assert waited == [1.0, 2.0]
    with pytest.raises(StackError, match="positions cannot be read"):
        positions._retried(Flaky(9).read)


def test_what_was_stopped_starts_again_if_it_cannot_be_drained(
    home: Home, services: Services, reader: type[Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(*_: object) -> None:
        raise StackError("no progress")

    monkeypatch.setattr(quiet_stack, "wait_until_drained", stuck)
    reader.left = Backlog(unscored=1)
    before = set(services.running)
    with (
        pytest.raises(StackError, match="no progress"),
        quiet_stack.drained(home, catalogue.load(), {}, print),
    ):
        pytest.fail("a stack with a backlog was called drained")
    assert services.running == before


def test_a_begun_batch_without_a_detector_is_refused_at_once(
    home: Home, services: Services
) -> None:
    services.running.remove("detector")
    begin_batch(home, begun=0, committed=None)
    with (
        pytest.raises(StackError, match="micro-batch 0 was begun"),
        quiet_stack.drained(home, catalogue.load(), {}, print),
    ):
        pytest.fail("a begun micro-batch was left to other code")
    assert services.running >= {"ingest", "console"}


@pytest.mark.parametrize("is_rerun", [False, True])
def test_a_stopped_stack_with_a_begun_batch_is_upgraded_only_on_request(
    home: Home, monkeypatch: pytest.MonkeyPatch, *, is_rerun: bool
) -> None:
    monkeypatch.setattr(upgrade.supervisor, "is_alive", lambda _: False)
    (home.folder / "kafka").mkdir()
    home.env_file.write_text((ROOT / ".env.example").read_text())
    begin_batch(home, begun=4, committed=3)
    one = upgrade.Upgrade(
        home=home, catalogue=catalogue.load(), notify=print, may_rerun_begun_batch=is_rerun
    )
    if not is_rerun:
        with pytest.raises(StackError, match="start the version that this home ran with"):
            one.run()
        return
    report = one.run()
    assert (report.from_format, report.started) == (1, False)
    assert (home.folder / "detector/begun_by.json").exists()
    assert one.run().steps == ()


def test_a_new_home_needs_no_upgrade(home: Home) -> None:
    with pytest.raises(StackError, match="never started"):
        upgrade.Upgrade(home=home, catalogue=catalogue.load(), notify=print).run()


def test_a_stopped_home_of_other_features_needs_the_old_version(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_features.supervisor, "processes", lambda _: {})
    with pytest.raises(StackError, match=r"start the old version.*then run \./fraudwatch upgrade"):
        new_features.carry_over(home, catalogue.load(), {}, print)


@pytest.mark.parametrize(
    ("begins_at_zero", "is_published", "has_lake", "expected"),
    [
        (True, False, False, "the detector folds transaction_topic from offset 0"),
        (False, True, False, "a state of the new features version is published"),
        (False, False, True, "the archive was folded up to"),
        (False, False, False, None),
    ],
)
def test_states_of_new_features_come_from_the_log_the_lake_or_not_at_all(
    home: Home,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    *,
    begins_at_zero: bool,
    is_published: bool,
    has_lake: bool,
    expected: str | None,
) -> None:
    built: list[list[str]] = []
    monkeypatch.setattr(new_features, "_topic_is_complete", lambda *_: begins_at_zero)
    monkeypatch.setattr(
        new_features,
        "run_in_foreground",
        lambda _home, _catalogue, name, arguments, _notify: built.append([name, *arguments]),
    )
    if has_lake:
        services.running.add("metastore")
    if is_published:
        (home.folder / "states").mkdir()
        version = new_features.features_version()
        (home.folder / f"states/{5:020d}-{version}.manifest").touch()
    if expected is None:
        with pytest.raises(StackError, match="every customer's history would be lost"):
            new_features.carry_over(home, catalogue.load(), {}, print)
        return
    assert new_features.carry_over(home, catalogue.load(), {}, print).startswith(expected)
    assert [one[:2] for one in built] == [["build_states", "--date"]] * (
        has_lake and not is_published
    )
