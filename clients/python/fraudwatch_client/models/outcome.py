from enum import StrEnum

class Outcome(StrEnum):
    APPROVE = "approve"
    CHALLENGE = "challenge"
    DECLINE = "decline"
    REVIEW = "review"

    def __str__(self) -> str:
        return str(self.value)
