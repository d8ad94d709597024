"""Define the job outcome: one row a run, with rows in, out and rejected, interval, code version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fraudwatch.domain.messages.fields import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """Outcome of one finished run over an interval of event time; a failed run has none."""

    run_id: Annotated[
        str, Fact("Id of the run; the same job over the same days again is another run")
    ]
    job: Annotated[str, Fact("Which job")]
    from_ms: Annotated[int, Fact("Begin of its interval, inclusive", unit="epoch ms UTC")]
    until_ms: Annotated[int, Fact("End of its interval, exclusive", unit="epoch ms UTC")]
    rows_in: Annotated[int, Fact("Rows it read", minimum=0)]
    rows_out: Annotated[int, Fact("Rows it wrote", minimum=0)]
    rows_rejected: Annotated[int, Fact("Rows it rejected", minimum=0)]
    reasons: Annotated[str, Fact("JSON: number of rejected rows by reason")] = "{}"
    began_at_ms: Annotated[int, Fact("When it began", unit="epoch ms UTC")]
    ended_at_ms: Annotated[int, Fact("When it ended", unit="epoch ms UTC")]
    code_version: Annotated[str, Fact("Version of the code that ran")]
