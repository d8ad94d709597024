from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.lake.spark_stream import MicroBatch
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryVerdictLog
from fraudwatch.adapters.quota_folder import QuotaFolder
from fraudwatch.application.console.alerts import is_alert
from fraudwatch.application.dead_letters.quota import DeadLetterQuota, SourcePaused, resume
from fraudwatch.application.ports import NotDelivered
from fraudwatch.application.scoring.reasons import APPLIED_DEFAULT
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.dead_letter_quota import QuotaLimits
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES, VECTOR_INDEX
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.dead_letter import Code
from fraudwatch.domain.messages.purchase import AppliedDefault
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Outcome, Risk, Verdict
from fraudwatch.domain.models.active_models import ActiveModels, Canary
from fraudwatch.domain.models.canary import in_canary
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata, normal_of
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from fraudwatch.domain.views.catalogue import VIEW_FEATURES, Entity, view_columns
from fraudwatch.domain.views.published import Published, RiskViews
from fraudwatch.domain.views.view import RiskView, table_of
from fraudwatch.samples import NOON_MS, a_refund, a_token, a_transaction
from streaming.detector.refusal_quota import check_refusals, exit_while_paused
from streaming.detector.scoring import Detector
from tests.calibrations import a_calibration

POLICY = load_policy(Path(__file__).parents[4] / "contracts/policies/default.yaml")


@dataclass
class OfferedSnapshots:
    """Records the states that were offered as snapshots."""

    offers: list[tuple[int, dict[int, int]]] = field(default_factory=list)

    def offer(self, state: CustomerState, ends: dict[int, int]) -> None:
        self.offers.append((state.customers, dict(ends)))


@dataclass
class World:
    """A detector and everything it writes."""

    models: ActiveModels = field(default_factory=ActiveModels)
    written: MemoryVerdictLog = field(default_factory=MemoryVerdictLog)
    dead_letters: MemoryDeadLetters = field(default_factory=MemoryDeadLetters)
    snapshots: OfferedSnapshots = field(default_factory=OfferedSnapshots)

    def __post_init__(self) -> None:
        self.detector = Detector(
            lambda _: POLICY, lambda _: self.models, self.written, self.dead_letters, self.snapshots
        )

    def score(self, *messages: Transaction | bytes, first_offset: int = 0) -> None:
        self.detector.score(a_batch(*messages, first_offset=first_offset))

    @property
    def scored(self) -> list[Verdict]:
        return [decode(Verdict, value) for _, value, _ in self.written.verdicts]

    @property
    def dead_lettered(self) -> dict[str, Code]:
        return {origin: record.code for origin, record in self.dead_letters.records.items()}


@pytest.fixture
def world() -> World:
    return World()


def a_batch(*messages: Transaction | bytes, first_offset: int = 0) -> MicroBatch:
    values = [m if isinstance(m, bytes) else encode(m) for m in messages]
    return MicroBatch(
        batch_id=7,
        is_rerun=False,
        decided_at_ms=NOON_MS + 50,
        values=values,
        partition=np.zeros(len(values), dtype=np.int64),
        offset=np.arange(first_offset, first_offset + len(values), dtype=np.int64),
        produced_at_ms=np.full(len(values), NOON_MS, dtype=np.int64),
    )


def run_of(count: int) -> list[Transaction]:
    return [
        a_transaction(transaction_id=f"shop:{n}", event_at_ms=NOON_MS + n * 1_000)
        for n in range(count)
    ]


def test_every_transaction_gets_one_verdict_with_its_offset(world: World) -> None:
    world.score(*run_of(3), first_offset=40)
    assert [v.transaction_id for v in world.scored] == ["shop:0", "shop:1", "shop:2"]
    assert [v.source_offset for v in world.scored] == [40, 41, 42]
    assert {v.decided_at_ms for v in world.scored} == {NOON_MS + 50}
    assert {key for key, _, _ in world.written.verdicts} == {a_token("a")}


def test_a_refund_gets_no_verdict_and_is_no_dead_letter(world: World) -> None:
    first, second, third = run_of(3)
    world.score(first, encode(a_refund(transaction_id="shop:0")), second, first_offset=40)
    world.score(encode(a_refund(refund_id="shop:refund-2")), first_offset=43)
    world.score(third, first_offset=44)
    assert [(v.transaction_id, v.source_offset) for v in world.scored] == [
        ("shop:0", 40), ("shop:1", 42), ("shop:2", 44),
    ]  # fmt: skip
    assert world.dead_lettered == {}
    spend = VECTOR_INDEX["spend_1d_eur_cents"]
    assert [np.frombuffer(v, dtype="<f8")[spend] for _, _, v in world.written.features] == [0, 0, 0]


CONTENT_HASH = "0a1b2c3d_" + 32 * "e"


def test_a_verdict_has_its_purchases_content_hash(world: World) -> None:
    hashed = a_transaction(transaction_id="shop:1", content_hash=CONTENT_HASH)
    world.score(hashed, a_transaction(transaction_id="shop:2"))
    assert [v.content_hash for v in world.scored] == [CONTENT_HASH, None]


def test_a_stricter_verdict_than_the_applied_default_says_so(world: World) -> None:
    burst = [replace(one, applied_default=AppliedDefault.APPROVE) for one in run_of(8)]
    world.score(*burst[:7], replace(burst[7], applied_default=AppliedDefault.DECLINE))
    assert {v.applied_default for v in world.scored[:7]} == {AppliedDefault.APPROVE}
    texts_by_id = {
        v.transaction_id: [r.text for r in v.reasons if r.rule == APPLIED_DEFAULT]
        for v in world.scored
    }
    assert [name for name, texts in texts_by_id.items() if texts] == ["shop:6"]
    [text] = texts_by_id["shop:6"]
    assert text.endswith("the source applied its default: approve. This verdict is stricter.")
    assert is_alert(world.scored[6])


def test_a_watch_list_match_is_reviewed_and_says_which_entry(world: World) -> None:
    first, second, third = run_of(3)
    entry = "example@0a1b2c3d:made-up-0001"
    world.score(
        replace(first, watch_list_entry=entry, watch_list_similarity=0.9524),
        replace(second, watch_list_entry=entry, watch_list_similarity=0.9),
        third,
    )
    listed, unlike, unnamed = (v for v in world.scored)
    [reason] = listed.reasons
    assert (listed.outcome, reason.rule) == (Outcome.REVIEW, "watch_list_match")
    assert f"similar to entry {entry} of a watch list: 0.95; threshold 0.92" in reason.text
    assert unlike.reasons == unnamed.reasons == ()


def test_every_verdict_has_its_feature_vector(world: World) -> None:
    world.score(*run_of(3))
    assert [(key, name) for key, name, _ in world.written.features] == [
        (a_token("a"), f"shop:{n}") for n in range(3)
    ]
    vectors = [np.frombuffer(packed, dtype="<f8") for _, _, packed in world.written.features]
    assert {len(vector) for vector in vectors} == {len(VECTOR_FEATURES)}
    assert [vector[0] for vector in vectors] == [0, 1, 2]  # purchases within ten minutes
    canonical = np.array([np.nan]).tobytes()
    assert all(v[i].tobytes() == canonical for v in vectors for i in np.flatnonzero(np.isnan(v)))


def test_a_burst_is_detected_across_batches(world: World) -> None:
    burst = run_of(8)
    world.score(*burst[:4])
    world.score(*burst[4:], first_offset=4)
    assert [v.risk for v in world.scored] == [Risk.LOW] * 6 + [Risk.HIGH] * 2
    assert world.scored[-1].reasons[0].rule == "rapid_purchases"


def test_customers_idle_for_over_sixty_days_are_evicted_and_change_nothing(world: World) -> None:
    world.score(*run_of(7))
    detector = world.detector
    later = a_batch(a_transaction(customer_token=a_token("b"), transaction_id="shop:b"))
    two_months = 62 * DAY_MS
    ahead = replace(later, produced_at_ms=later.produced_at_ms + two_months)
    detector.score(ahead)  # only the producer's clock says so
    assert detector.customers.customers == 2
    detector.score(replace(ahead, decided_at_ms=later.decided_at_ms + two_months))
    assert detector.customers.customers == 1
    back = a_batch(*run_of(8)[7:])
    detector.score(replace(back, produced_at_ms=back.produced_at_ms + two_months))
    assert [v.risk for v in world.scored][-3:] == [Risk.HIGH, Risk.LOW, Risk.LOW]


def test_a_repeat_gets_no_second_verdict(world: World) -> None:
    world.score(a_transaction(), a_transaction())
    world.score(a_transaction(), first_offset=2)
    assert len(world.scored) == len(world.written.features) == 1


def test_garbage_is_dead_lettered_with_its_offset_and_stops_nothing(world: World) -> None:
    world.score(b"garbage", a_transaction(), b"{}", first_offset=10)
    assert world.dead_lettered == {
        "transaction_topic-0-10": Code.NOT_JSON,
        "transaction_topic-0-12": Code.WRONG_SCHEMA,
    }
    assert [v.source_offset for v in world.scored] == [11]


def test_a_batch_of_nothing_but_garbage(world: World) -> None:
    world.score(b"", b"null")
    assert (world.scored, len(world.dead_lettered)) == ([], 2)


def a_quota(folder: Path) -> DeadLetterQuota:
    limits = QuotaLimits(per_minute=2, share_ratio=0.5)
    return DeadLetterQuota(limits, QuotaFolder(folder), lambda: NOON_MS)


def test_a_detector_that_refuses_what_ingest_accepted_stops_before_it_publishes(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    quota = a_quota(tmp_path)
    world.detector.check_refusals = partial(check_refusals, quota)
    exit_while_paused(quota)
    batch: list[Transaction | bytes] = [*run_of(2), b"garbage", b"{}", b"more"]
    with pytest.raises(SourcePaused, match="3 of 5 messages of a minute"):
        world.score(*batch)
    assert (world.scored, world.dead_lettered) == ([], {})
    with pytest.raises(SystemExit) as ended:  # the next process
        exit_while_paused(a_quota(tmp_path))
    assert ended.value.code == 1
    assert caplog.messages[-1].endswith("./fraudwatch dead-letters resume detector")

    resume(QuotaFolder(tmp_path), "detector", now_ms=NOON_MS, minutes=1)
    again = World()
    again.detector.check_refusals = partial(check_refusals, a_quota(tmp_path))
    again.score(*batch)
    assert (len(again.scored), len(again.dead_lettered)) == (2, 3)


def test_purchases_that_come_too_late_stop_no_detector(world: World, tmp_path: Path) -> None:
    world.detector.check_refusals = partial(check_refusals, a_quota(tmp_path))
    late = [
        a_transaction(transaction_id=f"shop:late-{n}", event_at_ms=NOON_MS - 40 * DAY_MS)
        for n in range(5)
    ]
    world.score(*run_of(1), *late)
    assert set(world.dead_lettered.values()) == {Code.TOO_LATE}
    assert len(world.dead_lettered) == 5


def test_future_and_too_late_events_are_dead_lettered(world: World) -> None:
    world.score(
        a_transaction(transaction_id="shop:now"),
        a_transaction(transaction_id="shop:ahead", event_at_ms=NOON_MS + 5 * MINUTE_MS + 1),
        a_transaction(transaction_id="shop:near", event_at_ms=NOON_MS + 5 * MINUTE_MS),
        a_transaction(transaction_id="shop:old", event_at_ms=NOON_MS - 31 * DAY_MS),
    )
    assert world.dead_lettered == {
        "transaction_topic-0-1": Code.FUTURE_EVENT,
        "transaction_topic-0-3": Code.TOO_LATE,
    }
    assert [v.transaction_id for v in world.scored] == ["shop:now", "shop:near"]


def test_history_is_folded_after_a_restart_without_publishing() -> None:
    history = [
        *run_of(9),
        a_transaction(transaction_id="shop:ahead", event_at_ms=NOON_MS + DAY_MS),
    ]
    later = run_of(12)[9:]
    whole, restarted = World(), World()
    whole.score(*history)
    produced_at_ms = np.full(len(history), NOON_MS, dtype=np.int64)
    restarted.detector.fold_history([encode(one) for one in history], produced_at_ms)
    assert (restarted.scored, restarted.dead_lettered) == ([], {})
    for world in (whole, restarted):
        world.score(*later, first_offset=10)
    assert restarted.written.verdicts == whole.written.verdicts[9:]
    assert restarted.written.features == whole.written.features[9:]


def test_a_batch_is_offered_as_snapshot_when_the_next_one_begins(world: World) -> None:
    world.score(*run_of(3))
    world.score(a_transaction(transaction_id="shop:9", customer_token=a_token("b")), first_offset=3)
    assert world.snapshots.offers == [(0, {}), (1, {0: 3})]


def test_an_unacknowledged_batch_fails_so_that_spark_does_not_commit_it(world: World) -> None:
    world.written.is_reachable = False
    with pytest.raises(NotDelivered):
        world.score(a_transaction())
    assert world.detector.ends == {}


def test_a_risk_view_is_used_from_its_time_on_and_the_verdict_names_it(world: World) -> None:
    tables = {one: table_of([], np.empty((0, len(view_columns(one))))) for one in Entity}
    merchant_values = {"merchant_fraud_ratio_30d": 0.5, "merchant_purchases_30d": 40.0}
    row = [merchant_values.get(name, np.nan) for name in view_columns(Entity.MERCHANT)]
    tables[Entity.MERCHANT] = table_of(["merchant-1"], np.array([row]))
    view = RiskView(NOON_MS - HOUR_MS, tables, 3 * DAY_MS)
    views = RiskViews((Published("0123456789abcdef" * 4, view.valid_from_ms),), lambda _: view)
    world.detector.views_of = lambda _: views
    before, after = view.valid_from_ms - 1, view.valid_from_ms
    world.score(
        a_transaction(transaction_id="shop:1", event_at_ms=before),
        a_transaction(transaction_id="shop:2", event_at_ms=after),
        a_transaction(transaction_id="shop:3", event_at_ms=after, merchant_id="unknown"),
        a_transaction(transaction_id="shop:4", event_at_ms=before, customer_token=a_token("b")),
    )
    assert [v.risk_view for v in world.scored] == ["", "0123456789ab", "0123456789ab", ""]
    ratio = VECTOR_INDEX["merchant_fraud_ratio_30d"]
    ratios = [np.frombuffer(packed, dtype="<f8")[ratio] for _, _, packed in world.written.features]
    assert np.array_equal(ratios, [np.nan, 0.5, np.nan, np.nan], equal_nan=True)
    hit = ["risky_merchant" in {reason.rule for reason in v.reasons} for v in world.scored]
    assert hit == [False, True, False, False]
    assert {len(packed) for _, _, packed in world.written.features} == {len(VECTOR_FEATURES) * 8}


def test_without_views_their_features_are_unknown_and_no_view_is_named(world: World) -> None:
    world.score(*run_of(2))
    vectors = [np.frombuffer(packed, dtype="<f8") for _, _, packed in world.written.features]
    assert all(np.isnan(vector[-len(VIEW_FEATURES) :]).all() for vector in vectors)
    assert {v.risk_view for v in world.scored} == {""}


class AnOffset:
    """A classifier of one feature whose log-odds are one number."""

    about = ModelMetadata(
        kind=ModelKind.XGBOOST,
        features=("item_count",),
        features_version="today",
        fitted_at_ms=1,
        rows=1,
        from_ms=1,
        until_ms=2,
    )
    normal = normal_of(np.zeros((2, 1)))

    def __init__(self, version: str, log_odds: float) -> None:
        self.version, self._log_odds = version, log_odds

    def contributions(self, features: Float64s) -> Float64s:
        return np.zeros((len(features), 2))

    def log_odds(self, features: Float64s) -> Float64s:
        return np.full(len(features), self._log_odds)


def models_with_canary(share_ratio: float) -> ActiveModels:
    champion: Any = AnOffset("a" * 12, -9.0)
    on_trial: Any = AnOffset("b" * 12, -7.0)
    return ActiveModels(
        None,
        champion,
        a_calibration("a" * 64, seed=1, version="c1"),
        Canary(
            ActiveModels(None, on_trial, a_calibration("b" * 64, seed=2, version="c2")), share_ratio
        ),
    )


def test_a_canary_scores_its_customers_and_each_verdict_names_its_models(world: World) -> None:
    world.models = models_with_canary(0.4)
    tokens = [a_token(one) for one in "abcdefghijklmnopqrst"]
    purchases = [
        a_transaction(transaction_id=f"shop:{n}", customer_token=tokens[n % len(tokens)])
        for n in range(60)
    ]
    world.score(*purchases, first_offset=40)
    # In the order of the log, whoever scored them.
    assert [v.source_offset for v in world.scored] == list(range(40, 100))
    assert [v.transaction_id for v in world.scored] == [one.transaction_id for one in purchases]
    assert [key for key, _, _ in world.written.verdicts] == [p.customer_token for p in purchases]
    by_version = {
        version: {v.customer_token for v in world.scored if v.model_scores[0].version == version}
        for version in ("a" * 12, "b" * 12)
    }
    selected = {
        token
        for token, is_in in zip(tokens, in_canary("b" * 12, 0.4, tokens).tolist(), strict=True)
        if is_in
    }
    assert by_version["b" * 12] == selected
    assert by_version["a" * 12] == set(tokens) - selected
    assert 2 < len(selected) < 15
    of_each = {v.model_scores[0].version: (v.calibration, v.score) for v in world.scored}
    assert of_each["a" * 12][0] != of_each["b" * 12][0]
    assert of_each["a" * 12][1] < of_each["b" * 12][1]


def test_without_its_canary_a_batch_is_scored_as_with_one_of_no_customer(world: World) -> None:
    world.models = replace(models_with_canary(0.4), canary=None)
    world.score(*run_of(5))
    alone, other = world.scored, World(models=models_with_canary(1e-12))
    other.score(*run_of(5))
    assert other.scored == alone
