"""What all DAGs share: defaults, how a job is started, and the mail that a failure sends.

The one package that imports Airflow; nothing else in the trunk needs it. It reads no file, no
network and no setting while a DAG file is parsed: operators ask for their settings when they run.
"""
