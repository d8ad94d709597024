"""Run the console: from the start its metrics, audit records and hand edits, then Streamlit.

``python -m streamlit_app`` takes the options of ``streamlit run``. Streamlit itself runs the
console's script when a browser opens it: until then metrics would be missing, and the audit records
of the command line would wait.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from streamlit.web import cli

from fraudwatch.adapters.audit_outbox_file import audit_outbox
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.application.console.audit import AuditLog, PublishedAudit
from fraudwatch.settings import ConsoleSettings, KafkaSettings
from fraudwatch.topics import AUDIT_TOPIC
from streamlit_app import metrics
from streamlit_app.people.access import publish_in_background
from streamlit_app.rules import hand_edits
from streamlit_app.rules.services import open_rules

BROKER_TIMEOUT_SECONDS = 10.0
SCRIPT = Path(__file__).with_name("server.py")


def _audit_log() -> Callable[[], AuditLog]:
    """Return how to open the audit log, once, when there is something to record."""

    @cache
    def audit_log() -> AuditLog:
        topic = KafkaTopic(KafkaSettings(), AUDIT_TOPIC, timeout_seconds=BROKER_TIMEOUT_SECONDS)
        return PublishedAudit(topic, encode)

    return audit_log


def main() -> None:
    """Serve until stopped."""
    settings, audit_log = ConsoleSettings(), _audit_log()
    metrics.serve(settings.metrics_port)
    publish_in_background(audit_outbox(settings.accounts_folder), audit_log)
    hand_edits.start(open_rules(audit_log))
    cli.main(["run", str(SCRIPT), *sys.argv[1:]])


if __name__ == "__main__":
    main()
