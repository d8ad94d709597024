"""Run the detector: score transactions in micro-batches and publish verdicts."""
