from enum import StrEnum

class Channel(StrEnum):
    NOT_PRESENT = "not_present"
    PRESENT = "present"

    def __str__(self) -> str:
        return str(self.value)
