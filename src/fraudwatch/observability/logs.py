"""Configure logging: lines with UTC time, level and process, and never a possible secret."""

from __future__ import annotations

import logging
import sys
import time

from fraudwatch.observability import failure_reason


def configure_logging(process: str) -> logging.Logger:
    """Log to standard error, which the supervisor stores, and return the process's logger.

    A batch job reports its errors to the task that started it as well: see `failure_reason`.
    """
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Every request of a long poll at INFO would hide the important lines.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    failure_reason.install(process)
    return logging.getLogger(process)
