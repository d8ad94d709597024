from enum import StrEnum

class AppliedDefault(StrEnum):
    APPROVE = "approve"
    DECLINE = "decline"
    REVIEW = "review"

    def __str__(self) -> str:
        return str(self.value)
