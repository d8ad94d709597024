"""Three kills of the whole proof, on the stack of the session: its own purchases alone count."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from fraudwatch.cli import output
from fraudwatch.proof.chaos import ledger_of, proving
from fraudwatch.proof.faults import Kind, plan
from fraudwatch.proof.ledger import Ledger
from fraudwatch.proof.load import Load
from fraudwatch.stack.private_stack import PrivateStack

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]
SEED, PER_SECOND = 7, 100
VICTIMS = ("detector", "kafka", "cassandra")


def test_nothing_is_lost_or_contradicted_while_the_engines_are_killed(
    stack: PrivateStack, tmp_path: Path
) -> None:
    faults = plan(SEED, len(VICTIMS), VICTIMS, stop=None)
    with proving(stack, tmp_path, Load(SEED, "chaos"), PER_SECOND, output.say) as proof:
        proof.break_things(faults)
        proof.drain()
        found = proof.count()
        with closing(Ledger(ledger_of(tmp_path))) as forged:
            forged.accept(["chaos:never-sent"], 0)
        of_forged = proof.count()

    assert {one.service: one.fault for one in proof.recoveries} == {
        "detector": Kind.KILL_AT_VERDICT,
        "kafka": Kind.KILL,
        "cassandra": Kind.KILL,
    }
    assert found.examples == {}
    assert found.ok
    # Finding nothing wrong means something only if something was there.
    assert found.accepted > 1_000
    assert found.verdicts + found.put_aside == found.accepted
    assert 0 < found.put_aside < found.accepted / 100
    assert found.features_compared >= found.verdicts
    assert all(state.ready for state in stack.states().values())
    # And a promise that was broken would have been seen.
    assert not of_forged.ok
    assert of_forged.examples == {"lost": ["acknowledged but not logged: chaos:never-sent"]}
