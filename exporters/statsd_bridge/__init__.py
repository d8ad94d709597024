"""StatsD bridge: receives Airflow's and the jobs' StatsD metrics by UDP, serves them to Prometheus.

It does what statsd_exporter does with the same mapping file, for machines without that program.
"""
