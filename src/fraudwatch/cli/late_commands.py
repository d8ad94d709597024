"""Commands that are loaded only when they run, by their word on the command line."""

from __future__ import annotations

from typing import NamedTuple


class LateCommand(NamedTuple):
    """A command whose imports are slow, so that it is loaded only when it runs."""

    name: str
    example: str
    is_hidden: bool = False


EVALUATE_EXAMPLE = (
    "Example: ./fraudwatch evaluate --labels purchases.csv --mapping mapping.yaml --json"
)
# By the word on the command line; a hidden one is an earlier name that still works.
LOADED_LATE = {
    "backtest": LateCommand(
        "backtest",
        "Example: ./fraudwatch backtest default --from 2026-11-01 --until 2026-11-20",
    ),
    "backup": LateCommand("backup", "Example: ./fraudwatch backup /mnt/backup/2026-11-20"),
    "build-states": LateCommand(
        "build_states", "Example: ./fraudwatch build-states --date 2026-11-20"
    ),
    "compose-secrets": LateCommand("compose_secrets", "Example: ./fraudwatch compose-secrets"),
    "demo": LateCommand("demo", "Example: ./fraudwatch demo"),
    "evaluate": LateCommand("evaluate", EVALUATE_EXAMPLE),
    "mapping": LateCommand("mapping", "Example: ./fraudwatch mapping suggest purchases.csv"),
    "rates": LateCommand("rates", "Example: ./fraudwatch rates fetch"),
    "reconcile": LateCommand("reconcile", "Example: ./fraudwatch reconcile --date 2026-11-20"),
    "refill-store": LateCommand("refill_store", "Example: ./fraudwatch refill-store fraud_topic"),
    "replay": LateCommand(
        "replay", "Example: ./fraudwatch replay purchases.csv --mapping mapping.yaml --rate 50"
    ),
    "report": LateCommand("evaluate", EVALUATE_EXAMPLE, is_hidden=True),
    "reports": LateCommand("reports", "Example: ./fraudwatch reports ls"),
    "restore": LateCommand(
        "restore",
        "Example: ./fraudwatch restore /mnt/backup/2026-11-20 --keys /mnt/keys/2026-11-20",
    ),
    "shadow": LateCommand("shadow", "Example: ./fraudwatch shadow start --policy stricter.yaml"),
    "systemd-unit": LateCommand("systemd_unit", "Example: ./fraudwatch systemd-unit --user me"),
    "upgrade": LateCommand("upgrade", "Example: git pull && ./fraudwatch upgrade"),
    "watch": LateCommand("watch", "Example: ./fraudwatch watch --profile speed"),
}
