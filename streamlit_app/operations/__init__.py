"""Operations page: services, lag, latency, dead letters, DAG runs, API keys."""
