from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fraudwatch.observability.failure_reason import VARIABLE
from fraudwatch.stack import catalogue
from fraudwatch.stack.foreground import run_in_front
from fraudwatch.stack.place import ROOT, Place, Unusable


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = Place(root=ROOT, runtime=Place.from_environment().runtime, home=tmp_path / "home")
    found.make_folders()
    return found


def a_one_shot(folder: Path, code: str) -> catalogue.Catalogue:
    script = folder / "one_shot.py"
    script.write_text(code)
    return catalogue.parse(
        f"[asked]\nsummary = 'asks'\ncommand = '{sys.executable} {script}'\noneshot = true\n"
        "[asked.environment]\nWORD = '{home}'\n"
    )


def test_an_answer_is_the_last_line_that_a_one_shot_prints(place: Place, tmp_path: Path) -> None:
    code = """import json, os, sys
print("noise")
print(json.dumps({"asked": sys.argv[1:], "home": os.environ["WORD"]}))
"""
    ended = run_in_front(place, a_one_shot(tmp_path, code), "asked", ["show", "2"], print)
    assert ended.told == {"asked": ["show", "2"], "home": str(place.home)}


def test_an_end_that_nobody_called_good_is_an_error_below_its_own_words(
    place: Place, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    refusing = a_one_shot(tmp_path, "import sys; sys.exit('there is no version 9')")
    with pytest.raises(Unusable, match="asked ended with 1"):
        run_in_front(place, refusing, "asked", ["show", "9"], print)
    assert "there is no version 9" in capfd.readouterr().err


def test_a_reason_that_the_one_shot_recorded_is_the_whole_error(
    place: Place, tmp_path: Path
) -> None:
    code = f"""import os, sys
open(os.environ["{VARIABLE}"], "w").write("HDFS is full; free some")
sys.exit(1)
"""
    with pytest.raises(Unusable, match=r"^HDFS is full; free some$"):
        run_in_front(place, a_one_shot(tmp_path, code), "asked", [], print)


@pytest.mark.parametrize("name", ["backtest", "reconcile"])
def test_what_is_missing_is_named_with_the_cure(place: Place, name: str) -> None:
    with pytest.raises(Unusable, match=r"do not run in this home.*up --profile lake"):
        run_in_front(place, catalogue.load(), name, [], print)
