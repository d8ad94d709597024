from enum import StrEnum

class Mode(StrEnum):
    RULES_ONLY = "rules_only"
    WITH_ANOMALY = "with_anomaly"
    WITH_ANOMALY_AND_MODEL = "with_anomaly_and_model"
    WITH_MODEL = "with_model"

    def __str__(self) -> str:
        return str(self.value)
