from enum import StrEnum

class WatchListCountry(StrEnum):
    OTHER = "other"
    SAME = "same"

    def __str__(self) -> str:
        return str(self.value)
