"""Install what a profile needs: environments, jars, Java, a few compiled classes.

It is idempotent, and quick when everything is current.
``python -m fraudwatch.stack.install`` installs everything, for the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fraudwatch.stack import (
    environments,
    jars,
    java,
    scala_jars,
    system_packages,
    wheel_jars,
)
from fraudwatch.stack.catalogue import Catalogue, load
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.launches import FROM_WHEEL, lists_for

# The environment that the script `fraudwatch` installs, and that this code runs in.
CONTROL = "control"
JARS_OF = "--jars-of"  # for images, which install each environment in a layer of its own


def ensure(
    home: Home, catalogue: Catalogue, names: Iterable[str], notify: environments.Notify
) -> Path:
    """Install what these services need and return the Java home that they use."""
    services = [catalogue.services[name] for name in names]
    class_paths = frozenset(jar for service in services for jar in service.jars())
    wanted = {name for service in services for name in service.environment_names()} - {CONTROL}
    home.runtime.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        # Environments one after another (uv is parallel itself), jars at the same time.
        fetched = [pool.submit(jars.ensure, home, name, notify) for name in lists_for(class_paths)]
        java_home = java.ensure(home, notify)
        for name in sorted(wanted):
            environments.ensure(home, name, notify)
        for jar in fetched:
            jar.result()
    _make_jars(home, class_paths, java_home, notify)
    return java_home


def _make_jars(
    home: Home, class_paths: frozenset[str], java_home: Path, notify: environments.Notify
) -> None:
    if class_paths & FROM_WHEEL:
        wheel_jars.ensure(home)
    for name in sorted(class_paths & scala_jars.SCALA_JARS.keys()):
        scala_jars.ensure(home, scala_jars.SCALA_JARS[name], java_home, notify)


def ensure_jars(
    home: Home, catalogue: Catalogue, names: Iterable[str], notify: environments.Notify
) -> None:
    """Install the jars of these services alone; Java and their environments must be there."""
    class_paths = frozenset(jar for name in names for jar in catalogue.services[name].jars())
    for name in sorted(lists_for(class_paths)):
        jars.ensure(home, name, notify)
    _make_jars(home, class_paths, java.ensure(home, notify), notify)


def main() -> int:
    """Install everything; `--dev` adds what the tests need, `--jars-of NAME ...` is jars alone."""
    home, catalogue = Home.from_environment(), load()
    notify = environments.to_stderr
    try:
        if sys.argv[1:2] == [JARS_OF]:
            ensure_jars(home, catalogue, sys.argv[2:], notify)
            return 0
        ensure(home, catalogue, catalogue.services, notify)
        if "--dev" in sys.argv[1:]:
            environments.ensure(home, "dev", notify)
            system_packages.ensure((system_packages.CHROMIUM, *system_packages.MONITORING), notify)
    except StackError as error:
        notify(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
