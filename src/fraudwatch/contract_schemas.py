"""Generate the JSON Schemas under ``contracts/schemas`` from the message types.

``python -m fraudwatch.contract_schemas`` writes them; a test compares. A published version is
frozen: a change that breaks consumers is a new version beside the old one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, AuditRecord
from fraudwatch.domain.messages.control import CONTROL_SCHEMA, ControlMessage
from fraudwatch.domain.messages.fields import json_schema_of
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.refund import REFUND_SCHEMA, Refund, ReportedRefund
from fraudwatch.domain.messages.transaction import TRANSACTION_SCHEMA, Transaction
from fraudwatch.domain.messages.verdict import VERDICT_SCHEMA, Verdict

MESSAGES: dict[str, type[Any]] = {
    "purchase.v1": Purchase,
    TRANSACTION_SCHEMA: Transaction,
    REFUND_SCHEMA: Refund,
    "reported_refund.v1": ReportedRefund,
    VERDICT_SCHEMA: Verdict,
    LABEL_SCHEMA: Label,
    "reported_label.v1": ReportedLabel,
    AUDIT_SCHEMA: AuditRecord,
    CONTROL_SCHEMA: ControlMessage,
}


def schema_text(version: str) -> str:
    """Generate the schema document of a message version, as stored in its file."""
    return json.dumps(json_schema_of(MESSAGES[version], title=version), indent=2) + "\n"


def main() -> None:
    """Write every schema to the given folder, by default ``contracts/schemas``."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "contracts/schemas")
    for version in MESSAGES:
        (folder / f"{version}.json").write_text(schema_text(version), encoding="utf-8")


if __name__ == "__main__":
    main()
