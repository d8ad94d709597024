"""What a batch job did: one row a run, so that nobody has to believe that it went well."""

from __future__ import annotations

from dataclasses import dataclass

from fraudwatch.domain.fields import fact


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """One finished run of a job over an interval of event time; a run that failed leaves none."""

    run_id: str = fact("Names the run; the same job over the same days again is another run")
    job: str = fact("Which job")
    from_ms: int = fact("Where its interval begins, inclusive", unit="epoch ms UTC")
    until_ms: int = fact("Where its interval ends, exclusive", unit="epoch ms UTC")
    rows_in: int = fact("Rows it read", minimum=0)
    rows_out: int = fact("Rows it wrote", minimum=0)
    rows_rejected: int = fact("Rows it put aside", minimum=0)
    reasons: str = fact("JSON: how many rows were put aside for which reason", default="{}")
    began_at_ms: int = fact("When it began", unit="epoch ms UTC")
    ended_at_ms: int = fact("When it ended", unit="epoch ms UTC")
    code_version: str = fact("Version of the code that ran")
