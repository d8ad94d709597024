"""Fill the systemd unit of systemd/fraudwatch.service for one checkout, home and user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from fraudwatch.stack.home import Home, StackError

TEMPLATE: Final = "systemd/fraudwatch.service"
# Settings of the command line that the unit must pass on, where they are set.
PASSED_ON: Final = ("FRAUDWATCH_HOME", "FRAUDWATCH_RUNTIME", "FRAUDWATCH_PORT_OFFSET")
_PLACEHOLDER: Final = re.compile(r"@([A-Z]+)@")
_UNUSABLE: Final = re.compile(r"[\"\\$\n]")


def unit_of(home: Home, *, user: str, profile: str, environment: Mapping[str, str]) -> str:
    """Return the text of the unit.

    Raises:
        StackError: a path has a character that the unit cannot hold.
    """
    # A folder may be set relative to the caller's, which is not the unit's.
    absolute = {"FRAUDWATCH_HOME": str(home.folder), "FRAUDWATCH_RUNTIME": str(home.runtime)}
    passed_on = {
        name: absolute.get(name, environment[name]) for name in PASSED_ON if environment.get(name)
    }
    values = {
        "USER": user,
        "ROOT": _escaped(str(home.root)),
        "PROFILE": profile,
        # They may be below a protected folder. A minus: only where it exists.
        "WRITTEN": " ".join(
            f'"-{_escaped(str(path))}"' for path in (home.root, home.folder, home.runtime)
        ),
        "ENVIRONMENT": "\n".join(
            f'Environment="{name}={_escaped(value)}"' for name, value in passed_on.items()
        ),
    }
    template = (home.root / TEMPLATE).read_text(encoding="utf-8")
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template).replace("\n\n\n", "\n\n")


def _escaped(value: str) -> str:
    if _UNUSABLE.search(value):
        raise StackError(
            f"{value!r} has a quote, a backslash, a $ or a line break, which the unit cannot hold, "
            "so none was printed; move the checkout or the home to another path"
        )
    return value.replace("%", "%%")
