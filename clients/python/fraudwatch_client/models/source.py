from enum import StrEnum

class Source(StrEnum):
    ANALYST = "analyst"
    CHARGEBACK = "chargeback"
    FRIENDLY_FRAUD = "friendly_fraud"
    WON_DISPUTE = "won_dispute"

    def __str__(self) -> str:
        return str(self.value)
