"""What a batch job did: one row a run, so that nobody has to believe that it went well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fraudwatch.domain.messages.fields import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """One finished run of a job over an interval of event time; a run that failed leaves none."""

    run_id: Annotated[
        str, Fact("Names the run; the same job over the same days again is another run")
    ]
    job: Annotated[str, Fact("Which job")]
    from_ms: Annotated[int, Fact("Where its interval begins, inclusive", unit="epoch ms UTC")]
    until_ms: Annotated[int, Fact("Where its interval ends, exclusive", unit="epoch ms UTC")]
    rows_in: Annotated[int, Fact("Rows it read", minimum=0)]
    rows_out: Annotated[int, Fact("Rows it wrote", minimum=0)]
    rows_rejected: Annotated[int, Fact("Rows it put aside", minimum=0)]
    reasons: Annotated[str, Fact("JSON: how many rows were put aside for which reason")] = "{}"
    began_at_ms: Annotated[int, Fact("When it began", unit="epoch ms UTC")]
    ended_at_ms: Annotated[int, Fact("When it ended", unit="epoch ms UTC")]
    code_version: Annotated[str, Fact("Version of the code that ran")]
