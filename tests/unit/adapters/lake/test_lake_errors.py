"""The last line of a job that the lake has stopped."""

from __future__ import annotations

import sys

import pytest

from fraudwatch.adapters.lake.lake_errors import sentence_of, tell_last
from fraudwatch.observability.failure_reason import VARIABLE, reason_file


class JavaSays:
    """A Java exception as py4j hands it over."""

    def __init__(self, text: str, cause: JavaSays | None = None) -> None:
        self._text, self._cause = text, cause

    def toString(self) -> str:  # noqa: N802  Java's name
        return self._text

    def getCause(self) -> JavaSays | None:  # noqa: N802  Java's name
        return self._cause


class Py4JError(RuntimeError):
    def __init__(self, java: JavaSays) -> None:
        super().__init__("An error occurred while calling o56.sql.")
        self.java_exception = java


REFUSED = JavaSays(
    "java.net.ConnectException: Call From a to b failed\n\tat somewhere",
    JavaSays("java.net.ConnectException: Connection refused"),
)


def test_the_first_cause_outside_is_named_with_effect_and_cure() -> None:
    told = sentence_of(Py4JError(JavaSays("org.apache.spark.SparkException: Task failed", REFUSED)))
    assert told is not None
    assert "(java.net.ConnectException: Call From a to b failed)" in told
    assert "so the job stopped" in told
    assert "./fraudwatch status" in told


@pytest.mark.parametrize(
    "error",
    [
        ValueError("ours"),
        Py4JError(JavaSays("java.lang.NullPointerException")),
        Py4JError(JavaSays("org.apache.spark.SparkException: x", JavaSays("scala.MatchError"))),
    ],
)
def test_other_faults_are_not_blamed_on_the_lake(error: Exception) -> None:
    assert sentence_of(error) is None


def test_it_comes_behind_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    tell_last()
    error = Py4JError(REFUSED)
    sys.excepthook(type(error), error, None)
    lines = capsys.readouterr().err.splitlines()
    assert "An error occurred" in lines[-2]
    assert lines[-1].startswith("The lake did not do what it was asked")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Py4JError(REFUSED), "The lake did not do what it was asked (java.net.ConnectException: "),
        (
            Py4JError(
                JavaSays(
                    "org.apache.spark.SparkException: x", JavaSays("java.lang.Oom: heap\n\tat")
                )
            ),
            "The job stopped with an unexpected error (Py4JError: java.lang.Oom: heap). ",
        ),
        (ValueError("ours"), "The job stopped with an unexpected error (ValueError: ours). "),
    ],
)
def test_the_task_that_started_the_job_gets_the_sentence_alone(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with reason_file() as file:
        monkeypatch.setenv(VARIABLE, str(file.path))
        tell_last()
        sys.excepthook(type(error), error, None)
        assert file.text().startswith(reason)
        assert "\n" not in file.text()
