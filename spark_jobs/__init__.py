"""Spark batch jobs that Airflow submits: read, transform, write. Each is idempotent for its days.

``spark-submit spark_jobs/NAME.py --help`` lists a job's options; ``dags/`` holds the schedules.
"""
