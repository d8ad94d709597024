"""The shadow beside a real detector: its topics, its artefacts, its bytes."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import xgboost as xgb
from prometheus_client import REGISTRY

from fraudwatch.adapters.artefacts.canary_file import canary_file
from fraudwatch.adapters.artefacts.candidate import load_candidate
from fraudwatch.adapters.artefacts.candidate_folder import start_comparison, stop_comparison
from fraudwatch.adapters.artefacts.model_artefact import write_artefact
from fraudwatch.adapters.artefacts.model_folder import ModelFolder
from fraudwatch.adapters.artefacts.model_pointer import (
    Pointer,
    locked_pointer,
    point_to,
    replace_pointer,
)
from fraudwatch.adapters.artefacts.named_artefacts import NamedArtefacts
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_artefact
from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.adapters.kafka_log.log import read_range
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.adapters.store.shadow import CassandraShadowStore
from fraudwatch.application.shadow.summary import summarise
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.models.canary import in_canary
from fraudwatch.domain.models.canary_check import LEAST_PURCHASES
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata, normal_of
from fraudwatch.domain.models.serving import ServingVersions
from fraudwatch.domain.shadow import ShadowDimension, summed
from fraudwatch.samples import a_purchase
from fraudwatch.settings import LabelSettings
from fraudwatch.stack import environments
from fraudwatch.stack.catalogue import load
from fraudwatch.stack.foreground import environment_of
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import AUDIT_TOPIC, FRAUD_TOPIC
from streaming.shadow.__main__ import open_partitions
from streaming.shadow.loop import CandidateWatch, ShadowLoop
from streaming.shadow.settings import ShadowSettings
from tests.calibrations import write_a_calibration
from tests.waiting import eventually

pytestmark = pytest.mark.engines
SERVING = ServingVersions(features_version(), 3)


@pytest.fixture
def store(stack: PrivateStack) -> Iterator[CassandraShadowStore]:
    session = connect(stack.cassandra("shadow"))
    yield CassandraShadowStore(session)
    close(session)


def settings_of(stack: PrivateStack, folder: Path) -> ShadowSettings:
    return ShadowSettings(
        candidate_folder=folder,
        policies_folder=stack.home.folder / "detector/policies",
        lists_folder=stack.home.folder / "detector/lists",
        models_folder=stack.home.folder / "detector/models",
        pointer_folder=stack.home.folder / "models",
        canary_path=folder / "canary.json",
    )


def loop_of(stack: PrivateStack, store: CassandraShadowStore, folder: Path) -> ShadowLoop:
    settings, kafka = settings_of(stack, folder), stack.kafka("shadow")
    return ShadowLoop(
        CandidateWatch(folder, SERVING),
        store,
        lambda candidate: open_partitions(settings, kafka, store, candidate),
        time.time,
    )


AMOUNTS_MINOR = (1_000, 45_000, 250_000)


def buy(
    stack: PrivateStack,
    count: int,
    *,
    customers: int = 7,
    amounts_minor: tuple[int, ...] = AMOUNTS_MINOR,
) -> list[str]:
    """Post purchases of a few customers, some of high amounts."""
    run, now_ms = uuid.uuid4().hex[:12], time.time_ns() // 1_000_000
    purchases = [
        a_purchase(
            source="shadow",
            id=f"{run}-{n}",
            event_at_ms=now_ms + n,
            customer_id=f"{run}-{n % customers}",
            amount_minor=amounts_minor[n % len(amounts_minor)],
        )
        for n in range(count)
    ]
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        answer = ingest.post("/v1/transactions", content=encode(purchases))
    assert answer.status_code == 202, answer.text
    return [f"shadow:{one.id}" for one in purchases]


def unlike() -> float:
    return REGISTRY.get_sample_value("fraudwatch_shadow_unlike_total") or 0.0


def test_the_live_policy_as_candidate_makes_the_bytes_of_a_real_stream(
    stack: PrivateStack, store: CassandraShadowStore, tmp_path: Path
) -> None:
    policy = (stack.home.root / "contracts/policies/default.yaml").read_bytes()
    at_ms = time.time_ns() // 1_000_000
    comparison = start_comparison(
        tmp_path,
        policy=policy,
        model=None,
        models_folder=tmp_path,
        started_at_ms=at_ms,
        from_at_ms=at_ms,
        started_by="test",
    )
    names = buy(stack, 90)
    loop, before = loop_of(stack, store, tmp_path), unlike()

    def compared() -> int:
        loop.step()
        return summarise(store.progress(comparison)).compared.purchases

    try:
        eventually(lambda: compared() >= len(names), within_seconds=120, what="the comparison")
    finally:
        loop._close()
    summary = summarise(store.progress(comparison))
    assert summary.different.purchases == 0
    assert summary.not_compared == {}
    assert unlike() == before
    # Bytes are only compared where both verdicts name the same versions, so they must.
    assert summary.live_versions == summary.candidate_versions
    stored = store.outcomes(comparison.comparison_id, names)
    assert any(stored.values())


def test_a_stricter_candidate_is_counted_once_across_lives_and_stops(
    stack: PrivateStack, store: CassandraShadowStore, tmp_path: Path
) -> None:
    policy = (stack.home.root / "contracts/policies/default.yaml").read_bytes()
    stricter = policy.replace(b"at_least_eur_cents: 100000", b"at_least_eur_cents: 10000", 1)
    at_ms = time.time_ns() // 1_000_000
    comparison = start_comparison(
        tmp_path,
        policy=stricter,
        model=None,
        models_folder=tmp_path,
        started_at_ms=at_ms,
        from_at_ms=at_ms,
        started_by="test",
    )
    names = buy(stack, 60)

    def purchases() -> int:
        life = loop_of(stack, store, tmp_path)  # each life reads on where the counts end
        for _ in range(4):
            life.step()
        life._close()
        return summarise(store.progress(comparison)).compared.purchases

    eventually(lambda: purchases() >= len(names), within_seconds=180, what="the comparison")
    # Every third purchase is of 450 EUR: an alert for the candidate alone.
    stored = store.outcomes(comparison.comparison_id, names)
    assert all(stored.get(name) for name in names[1::3])
    examples = store.examples(comparison.comparison_id)
    assert {one.transaction_id for one in examples} & set(names[1::3])
    assert {one.pair.live_outcome.value for one in examples} == {"approve"}
    rows = summed(store.progress(comparison).counted)
    pairs = sum(n.purchases for k, n in rows.items() if k.dimension is ShadowDimension.PAIR)
    live = sum(n.purchases for k, n in rows.items() if k.dimension is ShadowDimension.LIVE_VERSIONS)
    assert pairs == live
    assert stop_comparison(tmp_path)
    idle = loop_of(stack, store, tmp_path)
    idle.stopping.set()
    idle.step()
    assert not idle._partitions
    assert load_candidate(tmp_path, SERVING) is None
    detector = stack.home.folder / "detector"
    named = NamedArtefacts(detector / "policies", detector / "lists", detector / "models")
    assert named.policy("no such version") is None
    for versions in summarise(store.progress(comparison)).live_versions:
        version = versions.rpartition(" ")[0]
        found = named.policy(version)
        assert found is not None
        assert found.version == version


@pytest.fixture
def service(stack: PrivateStack) -> Iterator[psutil.Process]:
    """The shadow's process as the profile lake starts it, which the stack of this run is not."""
    environments.ensure(stack.home, "shadow", print)
    launch = stack.launches["shadow"]
    started = subprocess.Popen(launch.argv, env=dict(environment_of(stack.home, launch)), cwd=ROOT)
    yield psutil.Process(started.pid)
    started.terminate()
    started.wait(30)


def test_the_service_compares_what_the_command_starts_within_its_memory(
    stack: PrivateStack, service: psutil.Process, tmp_path: Path
) -> None:
    policy = (stack.home.root / "contracts/policies/default.yaml").read_text("utf-8")
    stricter = tmp_path / "stricter.yaml"
    stricter.write_text(policy.replace("at_least_eur_cents: 100000", "at_least_eur_cents: 10000"))
    # The whole history that the shop sent, from before the comparison.
    stack.command("shadow", "start", "--policy", str(stricter), "--since-hours", "168")
    names = buy(stack, 60)

    def status() -> dict[str, object]:
        found: dict[str, object] = json.loads(stack.command("shadow", "status", "--json").stdout)
        return found

    def has_compared(purchases: int) -> bool:
        compared = status().get("compared", 0)
        return isinstance(compared, int) and compared >= purchases

    eventually(lambda: has_compared(len(names)), within_seconds=180, what="the comparison")
    found = status()
    assert found["is_running"]
    assert found["not_compared"] == {}
    alerts = found["alerts"]
    assert isinstance(alerts, dict)
    assert alerts["candidate"] > alerts["live"]
    # As monitoring measures it: mapped files are shared with the other services.
    memory = service.memory_info()
    own_mib = (memory.rss - memory.shared) / 2**20
    assert own_mib <= load().services["shadow"].memory_mib, f"{own_mib:.0f} MiB"
    print(f"the shadow takes {own_mib:.0f} MiB after {found['compared']} purchases")  # noqa: T201  a figure
    stack.command("shadow", "stop")
    assert not status()["is_running"]


def a_classifier(folder: Path, *, is_inverted: bool) -> tuple[str, str]:
    """Write a classifier to which high amounts are fraud, or genuine, and its calibration."""
    names, random = ("item_count", "amount_eur_cents"), np.random.default_rng(4)
    rows = random.random((400, 2)) * 50_000
    is_fraud = (rows[:, 1] > 20_000) != is_inverted
    booster = xgb.train(
        {"objective": "binary:logistic", "nthread": 1},
        xgb.DMatrix(rows, is_fraud.astype(float)),
        num_boost_round=30,
    )
    about = ModelMetadata(
        kind=ModelKind.XGBOOST,
        features=names,
        features_version=features_version(),
        fitted_at_ms=1,
        rows=len(rows),
        from_ms=1,
        until_ms=2,
        label_delay_days=LabelSettings().delay_days,
    )
    sha256 = write_artefact(folder, xgboost_artefact(booster, about, normal_of(rows)))
    return sha256, write_a_calibration(folder, sha256, features_version=features_version())


@pytest.fixture
def champion(stack: PrivateStack) -> Iterator[tuple[Path, str]]:
    """The folder of the stack's models, with a champion until the test ends."""
    folder = stack.home.folder / "models"
    sha256, calibration = a_classifier(folder, is_inverted=False)
    point_to(folder, ModelKind.XGBOOST, sha256, calibration=calibration)
    yield folder, sha256
    with locked_pointer(folder):
        replace_pointer(folder, Pointer())


@pytest.mark.usefixtures("service")
def test_a_canary_scores_its_customers_and_is_rolled_back_by_the_service(
    stack: PrivateStack, champion: tuple[Path, str]
) -> None:
    folder, champion_sha256 = champion
    sha256, calibration = a_classifier(folder, is_inverted=True)
    models = ModelFolder(folder, LabelSettings().delay_days)
    started_at_ms = time.time_ns() // 1_000_000
    models.start_canary(sha256, calibration, share_ratio=0.5, started_at_ms=started_at_ms)
    trials = canary_file(stack.home.folder / "canary/canary.json")

    def is_rolled_back() -> bool:
        # Fraud to the champion and genuine to the canary.
        buy(stack, 500, customers=400, amounts_minor=AMOUNTS_MINOR[1:])
        return models.canary_model() is None

    eventually(is_rolled_back, within_seconds=240, every_seconds=2, what="the roll-back")
    trial = trials.read()
    assert trial is not None
    assert (trial.model, trial.champion) == (sha256, champion_sha256)
    assert trial.of_canary.purchases >= LEAST_PURCHASES
    assert trial.of_champion.purchases >= LEAST_PURCHASES
    assert "standard deviations outside" in trial.rolled_back_because
    assert models.current() == champion_sha256
    # Every verdict names the model of its customer's group.
    verdicts = [
        decode(Verdict, value) for value in messages_since(stack, FRAUD_TOPIC, started_at_ms)
    ]
    scored = {
        one.customer_token: one.model_scores[-1].version for one in verdicts if one.calibration
    }
    tokens = sorted(scored)
    on_trial = in_canary(sha256[:12], 0.5, tokens).tolist()
    named = {token: sha256[:12] for token, is_in in zip(tokens, on_trial, strict=True) if is_in}
    # Others were scored before the canary began, or after it ended.
    others = [one for one in tokens if scored[one] != named.get(one, champion_sha256[:12])]
    assert len(named) > 100
    assert len(others) < len(tokens) / 4
    audited = [
        decode(AuditRecord, one) for one in messages_since(stack, AUDIT_TOPIC, started_at_ms)
    ]
    assert [one.deed for one in audited if one.by == "canary-guard"] == [
        AuditAction.CANARY_ROLLED_BACK
    ]


def messages_since(stack: PrivateStack, topic: str, at_ms: int) -> list[bytes]:
    """Read what was published since a time."""
    kafka = stack.kafka("admin")
    return [
        message.value() or b""
        for messages in read_range(kafka, topic, ends_of(kafka, topic))
        for message in messages
        if message.timestamp()[1] >= at_ms
    ]
