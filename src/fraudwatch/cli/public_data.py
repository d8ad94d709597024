"""A measurement on public data, in the environment that has what it needs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from fraudwatch.cli import output
from fraudwatch.stack import environments
from fraudwatch.stack.place import Place, Unusable

ENVIRONMENT: Final = "training"  # the one with XGBoost and scikit-learn


def data_file(place: Place, path: Path | None, usual: Path) -> Path:
    """The file that is asked for, or the usual one in or beside the checkout.

    Raises:
        Unusable: none is asked for and the usual one is not there.
    """
    if path is not None:
        return path.resolve()
    places = (place.root / "data" / usual, place.root.parent / "shared/data" / usual)
    for one in places:
        if one.exists():
            return one
    raise Unusable(
        f"there is no {places[0]}; data/source_data.txt says how to get it, or name another file: "
        f"./fraudwatch benchmark {usual.parent} PATH"
    )


def measured(place: Place, module: str, path: Path) -> dict[str, Any]:
    """The report that a module of fraudwatch.proof prints; its progress goes through.

    Raises:
        Unusable: it failed and has said why.
    """
    folder = environments.ensure(place, ENVIRONMENT, output.say)
    words = [str(folder / "bin/python"), "-m", module, str(path)]
    done = subprocess.run(words, cwd=place.root, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode:
        raise Unusable(f"nothing was measured, as said above (exit code {done.returncode})")
    report: dict[str, Any] = json.loads(done.stdout)
    return report
