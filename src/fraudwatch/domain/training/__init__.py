"""How a model is trained, measured and chosen; nothing here knows an engine."""
