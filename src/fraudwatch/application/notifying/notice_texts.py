"""Write notices to customers from templates with a closed set of placeholders.

No placeholder is a person's own text, a rule or a score: a name in a purchase could carry an
advertisement to another person's address, and a reason could teach what to avoid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Final

from fraudwatch.domain.money import amount_text
from fraudwatch.domain.notifications.customer_notice import NoticeTemplate
from fraudwatch.domain.notifications.text_figures import moment_text

PLACEHOLDERS: Final = frozenset({"amount", "merchant", "time", "reference"})
_SUBJECT: Final = "Subject: "
_PLAIN_NAME: Final = re.compile(r"[\w][\w .&'-]{0,63}")


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice as it is sent; a text message has no subject."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """Facts of a purchase that a notice may contain."""

    transaction_id: str
    amount_minor: int
    currency: str
    merchant_id: str
    event_at_ms: int


@dataclass(frozen=True, slots=True)
class NoticeTexts:
    """Templates of one language: of mails, and of text messages."""

    mails: Mapping[NoticeTemplate, str]
    sms: Mapping[NoticeTemplate, str]

    def __post_init__(self) -> None:
        """Check all templates.

        Raises:
            ValueError: one is missing, has another placeholder, or a mail has no subject.
        """
        for name in NoticeTemplate:
            for kind, texts in (("mail", self.mails), ("SMS", self.sms)):
                if name not in texts:
                    raise ValueError(f"the {kind} template {name} is missing; add its file")
                if unknown := set(Template(texts[name]).get_identifiers()) - PLACEHOLDERS:
                    raise ValueError(
                        f"the {kind} template {name} has unknown placeholders {sorted(unknown)}; "
                        f"use {sorted(PLACEHOLDERS)}"
                    )
            if not self.mails[name].startswith(_SUBJECT):
                raise ValueError(f"the mail template {name} must begin with '{_SUBJECT.strip()}'")

    def mail(self, template: NoticeTemplate, facts: NoticeFacts) -> NoticeText:
        """Write the mail of a notice."""
        filled = _filled(self.mails[template], facts)
        first, _, rest = filled.partition("\n")
        return NoticeText(first.removeprefix(_SUBJECT).strip(), rest.strip() + "\n")

    def text_message(self, template: NoticeTemplate, facts: NoticeFacts) -> NoticeText:
        """Write the text message of a notice."""
        return NoticeText("", " ".join(_filled(self.sms[template], facts).split()))


def _filled(template: str, facts: NoticeFacts) -> str:
    merchant = facts.merchant_id if _PLAIN_NAME.fullmatch(facts.merchant_id) else "the shop"
    return Template(template).substitute(
        amount=amount_text(facts.amount_minor, facts.currency),
        merchant=merchant,
        time=moment_text(facts.event_at_ms),
        reference=facts.transaction_id.rpartition(":")[2],
    )
