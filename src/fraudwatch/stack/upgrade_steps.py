"""Migrate a stopped home's files by versioned steps; engines migrate their own data at the start.

Each step is idempotent and is recorded once it is done, so that an upgrade that was killed goes on
where it was. Topics, users, rights and tables of Cassandra and Hive are migrated by the setup jobs
of the next start, each with its own record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fraudwatch.domain.features.version import features_version
from fraudwatch.home_format import HOME_FORMAT
from fraudwatch.stack import env_file, home_version
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import Home, write_private
from fraudwatch.stack.home_version import HomeVersion

# Defaults of .env that format 1 wrote and that no longer fit; values of your own are kept.
_FORMAT_1_STATSD = {
    "AIRFLOW_STATSD_ON": "False",
    "AIRFLOW_STATSD_HOST": "127.0.0.1",
    "AIRFLOW_STATSD_PORT": "8125",
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One migration of a home's files, from one format to the next."""

    name: str
    from_format: int
    run: Callable[[Home], None]


def renew_statsd_defaults(home: Home) -> None:
    """Replace the old defaults of Airflow's metrics by today's, if all of them are unchanged."""
    path = home.env_file
    text = path.read_text(encoding="utf-8")
    found = env_file.parse(text)
    if any(found.get(name) != value for name, value in _FORMAT_1_STATSD.items()):
        return
    example = env_file.parse((home.root / ".env.example").read_text(encoding="utf-8"))
    for name, value in _FORMAT_1_STATSD.items():
        text = text.replace(f"{name}={value}\n", f"{name}={example[name]}\n")
    write_private(path, text)


STEPS: Sequence[Step] = (
    Step(name="renew_statsd_defaults", from_format=1, run=renew_statsd_defaults),
)


def migrate(
    home: Home, version: HomeVersion, notify: Notify, steps: Sequence[Step] = STEPS
) -> tuple[str, ...]:
    """Run the steps from a home's format to this code's; return the names of those run now."""
    done: list[str] = []
    for step in steps:
        if step.from_format < version.format or step.name in version.steps:
            continue
        notify(f"migrating: {step.name.replace('_', ' ')}")
        step.run(home)
        version = replace(version, steps=(*version.steps, step.name))
        home_version.write(home, version)
        done.append(step.name)
    home_version.write(
        home, replace(version, format=HOME_FORMAT, features_version=features_version())
    )
    return tuple(done)
