"""Check whether a model may be served: its features version and its label delay are today's."""

from __future__ import annotations

from dataclasses import dataclass

from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata


@dataclass(frozen=True, slots=True)
class ServingVersions:
    """Versions that a model must have been fitted with; a model of others is left out.

    Without a label delay any one is right: a verdict is scored again with the model that it names,
    whatever the setting is by now.
    """

    features_version: str
    label_delay_days: int | None = None

    def reason_to_leave_out(self, about: ModelMetadata) -> str:
        """Return why the model is left out, as the end of a sentence; empty: it may be served."""
        if about.features_version != self.features_version:
            return (
                f"was fitted on features {about.features_version} and today's are "
                f"{self.features_version}, which may have other meanings; fit it again"
            )
        # A forest learns from no label.
        has_labels = about.kind is not ModelKind.ISOLATION_FOREST
        wanted = self.label_delay_days
        if has_labels and wanted is not None and about.label_delay_days != wanted:
            return (
                f"was trained with {_days(about.label_delay_days)} and LABEL_DELAY_DAYS is "
                f"{wanted}; train a new one"
            )
        return ""


def _days(label_delay_days: int | None) -> str:
    if label_delay_days is None:
        return "an unknown label delay"
    return f"a label delay of {label_delay_days} days"
