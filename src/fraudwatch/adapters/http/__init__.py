"""Parts of HTTP APIs that ingest and the REST API share: problems and the check of API keys."""
