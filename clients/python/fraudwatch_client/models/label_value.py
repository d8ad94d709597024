from enum import StrEnum

class LabelValue(StrEnum):
    FRAUD = "fraud"
    GENUINE = "genuine"
    UNSURE = "unsure"

    def __str__(self) -> str:
        return str(self.value)
