from enum import StrEnum

class PaymentStatus(StrEnum):
    APPROVED = "approved"
    DECLINED = "declined"
    FAILED = "failed"

    def __str__(self) -> str:
        return str(self.value)
