"""What models are and how they answer: one evaluator each, for stream and batch."""
