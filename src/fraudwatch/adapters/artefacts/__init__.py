"""Load, store and hot-reload models, risk views, policies and rates; register in MLflow."""
