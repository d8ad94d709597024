"""Parse a scoring policy and combine rules and models into a risk level."""
