"""Read and write the lake: Spark, Delta, HDFS, Hive; no other adapter imports their drivers."""
