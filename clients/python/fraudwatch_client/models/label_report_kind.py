from enum import StrEnum

class LabelReportKind(StrEnum):
    CHARGEBACK = "chargeback"
    FRIENDLY_FRAUD = "friendly_fraud"
    WON_DISPUTE = "won_dispute"

    def __str__(self) -> str:
        return str(self.value)
