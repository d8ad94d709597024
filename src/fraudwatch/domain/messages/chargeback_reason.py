"""Read the reason code of a chargeback: whether its card scheme calls it a claim of fraud.

Other codes (goods that did not arrive, an amount charged twice) say nothing about who paid, and
would teach a model that honest customers are thieves.
"""

from __future__ import annotations

import re
from typing import Final

REASON_CODE: Final = r"[A-Z0-9](?:[A-Z0-9.]{0,8}[A-Z0-9])?"
# Visa 10.x; Mastercard; American Express; Discover.
_FRAUD: Final = re.compile(
    r"10\.\d|48(?:37|40|49|63|70|71)|F(?:10|14|22|24|29|30|31|R[246])|UA0[1256]|UA1[01]"
)
_OTHER: Final = re.compile(
    r"1[123]\.\d(?:\.\d)?|48(?:07|08|12|31|34|41|42|46|50|53|54|55|59|60)"
    r"|[ACMPR]\d{2}|AP|AT|AW|CD|CR|DA|DP|EX|IN|IC|LP|NF|RG|RM|RN2|TF"
)


def is_fraud_claim(reason_code: str) -> bool | None:
    """Return whether the code is a claim of fraud; None: a code that is not known here."""
    if _FRAUD.fullmatch(reason_code):
        return True
    return False if _OTHER.fullmatch(reason_code) else None
