"""Run the persister: write topics to Cassandra."""
