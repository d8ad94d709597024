"""Operations: the state of services, consumers, dead letters, DAG runs and notifications."""
