from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.adapters.lake.spark_checkpoint import (
    CheckpointDamaged,
    batch_time_ms,
    begun_batch,
    checkpoint_folder,
    committed_ends,
    initial_offsets,
)
from fraudwatch.settings import DetectorSettings
from fraudwatch.topics import TRANSACTION_TOPIC

# As Spark 4 logs a batch over one Kafka topic.
METADATA = (
    '{"batchWatermarkMs":0,"batchTimestampMs":1771111512345,'
    '"conf":{"spark.sql.streaming.multipleWatermarkPolicy":"min","spark.sql.shuffle.partitions":"2"}}'
)
OFFSETS = '{"transaction_topic":{"1":172,"0":160}}'
LOGGED = f"v1\n{METADATA}\n{OFFSETS}"


@pytest.fixture
def settings(tmp_path: Path) -> DetectorSettings:
    return DetectorSettings(
        state_folder=tmp_path,
        models_folder=tmp_path,
        views_folder=tmp_path,
        states_folder=tmp_path,
        dead_letter_key_path=tmp_path,
        connector_jars="",
        extra_class_path="",
    )


def log_batch(settings: DetectorSettings, batch_id: int, text: str = LOGGED) -> None:
    folder = checkpoint_folder(settings) / "offsets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(batch_id)).write_text(text)
    (folder / f".{batch_id}.crc").write_bytes(b"\0")


def commit_batch(settings: DetectorSettings, batch_id: int) -> None:
    folder = checkpoint_folder(settings) / "commits"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(batch_id)).write_text('v1\n{"nextBatchWatermarkMs":0}')


def test_a_batch_has_the_time_and_the_ends_that_spark_logged(settings: DetectorSettings) -> None:
    log_batch(settings, 9)
    commit_batch(settings, 9)
    log_batch(settings, 10, LOGGED.replace("1771111512345", "1771111513000"))
    assert batch_time_ms(settings, 9) == 1_771_111_512_345
    assert batch_time_ms(settings, 10) == 1_771_111_513_000
    assert committed_ends(settings, TRANSACTION_TOPIC) == {0: 160, 1: 172}
    assert begun_batch(settings) == 10


def test_without_a_committed_batch_there_are_no_ends(settings: DetectorSettings) -> None:
    assert committed_ends(settings, TRANSACTION_TOPIC) == {}
    assert begun_batch(settings) is None
    log_batch(settings, 0)
    assert committed_ends(settings, TRANSACTION_TOPIC) == {}
    assert begun_batch(settings) == 0


def test_a_committed_batch_is_not_run_again(settings: DetectorSettings) -> None:
    log_batch(settings, 9)
    commit_batch(settings, 9)
    assert begun_batch(settings) is None


def test_a_batch_that_is_not_logged_has_no_time(settings: DetectorSettings) -> None:
    log_batch(settings, 9)
    with pytest.raises(CheckpointDamaged, match=r"batch 10 is to run, .*offsets/10; restore"):
        batch_time_ms(settings, 10)


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "v1",
        f"v1\n{METADATA}",
        f"v2\n{METADATA}\n{OFFSETS}",
        f"v1\n{METADATA[:30]}\n{OFFSETS}",
        f"v1\n[]\n{OFFSETS}",
        f'v1\n{{"batchWatermarkMs":0}}\n{OFFSETS}',
        f"v1\n{METADATA.replace('1771111512345', '0')}\n{OFFSETS}",
        f"v1\n{METADATA.replace('1771111512345', 'null')}\n{OFFSETS}",
    ],
)
def test_a_damaged_log_gives_no_time(settings: DetectorSettings, broken: str) -> None:
    log_batch(settings, 9, broken)
    with pytest.raises(CheckpointDamaged, match="batch 9 is to run, but its time cannot be read"):
        batch_time_ms(settings, 9)


@pytest.mark.parametrize(
    "broken",
    [
        "",
        f"v1\n{METADATA}\n-",
        f"v1\n{METADATA}\n{OFFSETS[:20]}",
        f'v1\n{METADATA}\n{{"another_topic":{{"0":1}}}}',
        f'v1\n{METADATA}\n{{"transaction_topic":{{"0":null}}}}',
    ],
)
def test_a_damaged_log_gives_no_ends(settings: DetectorSettings, broken: str) -> None:
    log_batch(settings, 9, broken)
    commit_batch(settings, 9)
    with pytest.raises(CheckpointDamaged, match="batch 9 is committed, but its offsets cannot be"):
        committed_ends(settings, TRANSACTION_TOPIC)


def test_a_committed_batch_that_is_not_logged_has_no_ends(settings: DetectorSettings) -> None:
    commit_batch(settings, 9)
    with pytest.raises(CheckpointDamaged, match="batch 9 is committed"):
        committed_ends(settings, TRANSACTION_TOPIC)


def test_the_first_offsets_are_those_that_spark_logged_before_its_first_batch(
    settings: DetectorSettings,
) -> None:
    assert initial_offsets(settings, TRANSACTION_TOPIC) is None
    path = checkpoint_folder(settings) / "sources/0/0"
    path.parent.mkdir(parents=True)
    path.write_bytes(b'\0v1\n{"transaction_topic":{"1":12,"0":0}}')
    assert initial_offsets(settings, TRANSACTION_TOPIC) == {0: 0, 1: 12}


@pytest.mark.parametrize("broken", [b"", b"\0v2\n{}", b'\0v1\n{"another":{}}', b"\0v1\n{"])
def test_damaged_first_offsets_are_refused(settings: DetectorSettings, broken: bytes) -> None:
    path = checkpoint_folder(settings) / "sources/0/0"
    path.parent.mkdir(parents=True)
    path.write_bytes(broken)
    with pytest.raises(CheckpointDamaged, match="its first offsets cannot be read"):
        initial_offsets(settings, TRANSACTION_TOPIC)
