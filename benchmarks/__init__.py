"""Benchmark the stream, the batch layer and the models, as processes of the command line."""
