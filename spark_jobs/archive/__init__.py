"""Archive the topics into raw tables."""
