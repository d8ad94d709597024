"""Installs what a profile needs: environments, jars, a Java, a few compiled classes.

Repeating is cheap. ``python -m fraudwatch.stack.install`` installs everything, for the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fraudwatch.stack import browser, environments, jars, java, scala_jars, wheel_jars
from fraudwatch.stack.catalogue import Catalogue, load
from fraudwatch.stack.launches import FROM_WHEEL, lists_for
from fraudwatch.stack.place import Place, Unusable

# Made by the starter script, and the one this code runs in.
CONTROL = "control"


def ensure(place: Place, catalogue: Catalogue, names: Iterable[str], say: environments.Say) -> Path:
    """Install what these services need and return the Java home they will use."""
    services = [catalogue.services[name] for name in names]
    class_paths = frozenset(jar for service in services for jar in service.jars())
    wanted = {name for service in services for name in service.environment_names()} - {CONTROL}
    place.runtime.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        # Environments one after another (uv is parallel itself), the jars beside them.
        fetched = [pool.submit(jars.ensure, place, name, say) for name in lists_for(class_paths)]
        java_home = java.ensure(place, say)
        for name in sorted(wanted):
            environments.ensure(place, name, say)
        for jar in fetched:
            jar.result()
    if class_paths & FROM_WHEEL:
        wheel_jars.ensure(place)
    for name in sorted(class_paths & scala_jars.SCALA_JARS.keys()):
        scala_jars.ensure(place, scala_jars.SCALA_JARS[name], java_home, say)
    return java_home


def main() -> int:
    """Install everything; `--dev` adds what the tests need."""
    place, catalogue = Place.from_environment(), load()
    say = environments.to_stderr
    try:
        ensure(place, catalogue, catalogue.services, say)
        if "--dev" in sys.argv[1:]:
            environments.ensure(place, "dev", say)
            browser.ensure(say)
    except Unusable as wrong:
        say(str(wrong))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
