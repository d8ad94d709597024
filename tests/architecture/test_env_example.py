"""Test that .env.example lists exactly the variables that the code reads."""

from __future__ import annotations

from pathlib import Path

from fraudwatch.domain.weak_secret import weakness_of
from fraudwatch.stack import catalogue, env_file

EXAMPLE = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")


def test_every_variable_is_read_and_every_setting_is_listed() -> None:
    read = catalogue.load().setting_names() | env_file.OWN_SETTINGS
    assert env_file.parse(EXAMPLE).keys() == read


def test_the_example_has_no_secret() -> None:
    shown = {
        name: value for name, value in env_file.parse(EXAMPLE).items() if env_file.is_secret(name)
    }
    assert len(shown) >= 10
    assert set(shown.values()) == {""}


def test_every_variable_has_a_comment_above_it() -> None:
    above = ""
    for line in EXAMPLE.splitlines():
        if "=" in line and not line.startswith("#"):
            assert above.startswith(("#", "KAFKA_", "CASSANDRA_")), line
        above = line


def test_a_generated_file_passes_the_check() -> None:
    generated = env_file.parse(env_file.completed("", EXAMPLE))
    assert env_file.check(dict(generated), Path(".env")) == generated
    secrets = [value for name, value in generated.items() if env_file.is_secret(name)]
    assert len(set(secrets)) == len(secrets)
    assert all(weakness_of(secret) is None for secret in secrets)
