"""Run a soak test on a stack: load at a constant rate, a sample each minute, then the counts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from chaos.load import EVENTS_BEGIN_MS, Load
from chaos.run import ChaosRun, chaos_run, raise_if_ended
from chaos.soak.conclusion import conclude
from chaos.soak.samples import Sample, Sampler
from chaos.soak.verdict_times import VerdictTimes
from fraudwatch.domain.time_units import MINUTE_MS
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import StackError
from fraudwatch.stack.private_stack import PrivateStack

SOURCE: Final = "soak"
# With a chaos run's 400, each would buy every second at these rates; with many more, histories
# would still fill after the warm-up, and the detector's memory would grow with them.
CUSTOMERS: Final = 10_000
# One batch waits for another's acknowledgement: on a busy machine smaller ones miss the rate.
BATCH_SECONDS: Final = 0.2
# On disk in all, topics and rows; and what must stay free, so that the log guard deletes nothing.
BYTES_PER_PURCHASE: Final = 5_000
FREE_BYTES: Final = 5 * 2**30
_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakPlan:
    """Length, rate and seed of the load, how often to sample, and the bound on memory growth."""

    minutes: float
    rate: int
    seed: int
    bound_mib_per_hour: float
    sample_seconds: float

    def load(self) -> Load:
        """Make the load: its events reach the present at the end."""
        pace = 1 + EVENTS_BEGIN_MS / (self.minutes * MINUTE_MS)
        return Load(self.seed, SOURCE, customers=CUSTOMERS, events_pace=pace)


def require_space(folder: Path, plan: SoakPlan) -> None:
    """Check the disk before hours are spent.

    Raises:
        StackError: the run would fill it.
    """
    needed = round(plan.minutes * 60 * plan.rate * BYTES_PER_PURCHASE) + FREE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StackError(
            f"the run needs about {needed / 2**30:.0f} GiB in {folder} and {free / 2**30:.0f} GiB "
            "are free, so nothing was started; free space, set TMPDIR to a larger disk, or use a "
            "lower --rate or fewer --minutes"
        )


def soak_on(stack: PrivateStack, folder: Path, plan: SoakPlan, progress: Notify) -> dict[str, Any]:
    """Run the load, drain, count, and fit the memory.

    Raises:
        StackError: a purchase was refused for minutes or stayed without a row.
    """
    times = VerdictTimes(stack.kafka("admin"))
    with chaos_run(stack, folder, plan.load(), plan.rate, progress, sending=times.sending) as run:
        run.traffic.batch_seconds = BATCH_SECONDS
        with _timed(times) as timing, run.under_traffic() as sending:
            samples = _samples(run, plan, times, (timing, sending))
            sent_per_second = run.traffic.sent / (plan.minutes * 60)
        progress("waiting until everything sent is scored and stored ...")
        run.drain()
        findings = run.count()
    conclusion = conclude(
        samples,
        bound_mib_per_hour=plan.bound_mib_per_hour,
        rate=plan.rate,
        sent_per_second=sent_per_second,
    )
    return {
        "seed": plan.seed,
        "minutes": plan.minutes,
        **asdict(findings),
        "retries": run.traffic.retries,
        "refused_batches": run.traffic.refused_batches,
        **conclusion.as_json(),
        "samples": [one.as_json() for one in samples],
        "ok": findings.ok and conclusion.ok,
    }


def _samples(
    run: ChaosRun, plan: SoakPlan, times: VerdictTimes, workers: tuple[Future[None], ...]
) -> list[Sample]:
    """Sample until the time is over."""
    began = time.monotonic()
    sampler, samples = Sampler(run.stack, began), list[Sample]()
    end, due = began + 60 * plan.minutes, began + plan.sample_seconds
    while due <= end + _POLL_SECONDS:
        while time.monotonic() < due:
            for worker in workers:
                raise_if_ended(worker)
            time.sleep(_POLL_SECONDS)
        samples.append(one := sampler.sample(times.take_ms()))
        run.progress(_line(one, plan, run.traffic.sent))
        due += plan.sample_seconds
    return samples


def _line(sample: Sample, plan: SoakPlan, sent: int) -> str:
    figures = sample.purchase_to_verdict_ms
    verdicts = f"p50 {figures['p50']}, p99 {figures['p99']} ms" if figures else "none came"
    detector = sample.memory.get("detector")
    return (
        f"{60 * sample.hours:.1f} of {plan.minutes:g} minutes: {sent} sent; verdicts: {verdicts}; "
        f"persister {sample.persister_behind} behind; detector "
        f"{round(detector.private_mib) if detector else 'without a process'} MiB"
    )


@contextmanager
def _timed(times: VerdictTimes) -> Iterator[Future[None]]:
    with ThreadPoolExecutor(1, "verdicts") as pool:
        timing = pool.submit(times.run)
        try:
            yield timing
        finally:
            times.stopping.set()
        timing.result()
