"""Number of a home's format: what its files, topics and verdicts look like.

Raise HOME_FORMAT with every change after which older code cannot use a home, or after which the
same micro-batch would get another verdict, and add a step to ``stack/upgrade_steps.py``. What has
its own migrations or version (Cassandra, Hive, topics, features) needs no new number.
"""

from __future__ import annotations

from typing import Final

HOME_FORMAT: Final = 2
# Homes of before they recorded their format.
UNRECORDED_FORMAT: Final = 1
