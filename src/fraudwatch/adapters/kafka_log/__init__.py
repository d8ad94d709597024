"""Read and write Kafka; no other adapter imports its driver."""
