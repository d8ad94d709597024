"""Jobs that Airflow submits to Spark: read, transform, write. Each may be run again for its days.

``spark-submit spark_jobs/NAME.py --help`` tells what a job needs; the DAGs in ``dags/`` say when.
"""
