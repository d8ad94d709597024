"""Watch for policy files edited by hand, for as long as the console's process lives.

The detector uses an edit with its next micro-batch and never waits for its audit record. Its reload
journal keeps every content that it used, so an edit made while the console was down is audited
later.
"""

from __future__ import annotations

import logging
import threading
import time

from fraudwatch.application.policy.versions import PolicyUnavailable
from fraudwatch.application.ports import NotDelivered
from streamlit_app.rules.services import RulesServices

EVERY_SECONDS = 10.0
log = logging.getLogger(__name__)


def start(rules: RulesServices, every_seconds: float = EVERY_SECONDS) -> None:
    """Watch in a thread of its own; nothing is done where hand edits are refused."""
    if rules.are_hand_edits_used:
        threading.Thread(target=_watch, args=(rules, every_seconds), daemon=True).start()


def look(rules: RulesServices) -> None:
    """Record and audit edits that are not recorded yet; what fails is done by the next look."""
    try:
        for one in rules.going_live.note_hand_edits(rules.used()):
            log.warning("policy %s became live by an edit of its file: audited", one.version)
    except (PolicyUnavailable, OSError) as error:
        log.warning("hand edits of the policy cannot be looked for: %s", error)
    except NotDelivered:
        log.warning("a hand edit of the policy cannot be audited now; it will be later")


def _watch(rules: RulesServices, every_seconds: float) -> None:
    while True:
        look(rules)
        time.sleep(every_seconds)
