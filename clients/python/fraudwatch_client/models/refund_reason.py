from enum import StrEnum

class RefundReason(StrEnum):
    PARTIAL_CAPTURE = "partial_capture"
    REFUND = "refund"
    REVERSAL = "reversal"

    def __str__(self) -> str:
        return str(self.value)
