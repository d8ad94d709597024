from enum import StrEnum

class Kind(StrEnum):
    ERASE = "erase"
    REFUND = "refund"
    TRANSACTION = "transaction"

    def __str__(self) -> str:
        return str(self.value)
