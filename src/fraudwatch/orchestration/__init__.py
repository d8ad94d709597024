"""Orchestration shared by all DAGs: defaults, operators that run jobs, failure mails.

The only package that imports Airflow. It reads no file, no network and no setting while a DAG file
is parsed: operators read their settings when they run.
"""
