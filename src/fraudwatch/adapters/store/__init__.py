"""Read and write Cassandra; no other adapter imports its driver."""
