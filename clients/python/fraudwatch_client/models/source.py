from enum import StrEnum

class Source(StrEnum):
    ANALYST = "analyst"
    CHARGEBACK = "chargeback"

    def __str__(self) -> str:
        return str(self.value)
