"""The verbs: what is asked and told in which order, over ports only."""
