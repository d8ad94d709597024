from enum import StrEnum

class LabelReportVerdict(StrEnum):
    FRAUD = "fraud"
    GENUINE = "genuine"

    def __str__(self) -> str:
        return str(self.value)
