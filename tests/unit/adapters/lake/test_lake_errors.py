"""Last line of a job that an error of the lake stopped."""

from __future__ import annotations

import sys

import pytest

from fraudwatch.adapters.lake.lake_errors import install_excepthook, sentence_of
from fraudwatch.observability.failure_reason import VARIABLE, reason_file


class JavaError:
    """Java exception as py4j passes it."""

    def __init__(self, text: str, cause: JavaError | None = None) -> None:
        self._text, self._cause = text, cause

    def toString(self) -> str:  # noqa: N802  Java's name
        return self._text

    def getCause(self) -> JavaError | None:  # noqa: N802  Java's name
        return self._cause


class Py4JError(RuntimeError):
    def __init__(self, java: JavaError) -> None:
        super().__init__("An error occurred while calling o56.sql.")
        self.java_exception = java


REFUSED = JavaError(
    "java.net.ConnectException: Call From a to b failed\n\tat somewhere",
    JavaError("java.net.ConnectException: Connection refused"),
)


def test_the_first_outside_cause_is_named_with_effect_and_fix() -> None:
    sentence = sentence_of(
        Py4JError(JavaError("org.apache.spark.SparkException: Task failed", REFUSED))
    )
    assert sentence is not None
    assert "(java.net.ConnectException: Call From a to b failed)" in sentence
    assert "so the job stopped" in sentence
    assert "./fraudwatch status" in sentence


@pytest.mark.parametrize(
    "error",
    [
        ValueError("ours"),
        Py4JError(JavaError("java.lang.NullPointerException")),
        Py4JError(JavaError("org.apache.spark.SparkException: x", JavaError("scala.MatchError"))),
    ],
)
def test_other_errors_are_not_blamed_on_the_lake(error: Exception) -> None:
    assert sentence_of(error) is None


def test_the_sentence_follows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    install_excepthook()
    error = Py4JError(REFUSED)
    sys.excepthook(type(error), error, None)
    lines = capsys.readouterr().err.splitlines()
    assert "An error occurred" in lines[-2]
    assert lines[-1].startswith("The lake failed")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Py4JError(REFUSED), "The lake failed (java.net.ConnectException: "),
        (
            Py4JError(
                JavaError(
                    "org.apache.spark.SparkException: x", JavaError("java.lang.Oom: heap\n\tat")
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
        install_excepthook()
        sys.excepthook(type(error), error, None)
        assert file.text().startswith(reason)
        assert "\n" not in file.text()
