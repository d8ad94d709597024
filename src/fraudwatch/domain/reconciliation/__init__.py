"""Compare the stream's results for a day with the batch layer's recomputation."""
