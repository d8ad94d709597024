#!/bin/sh
# Create one database and one login each for Airflow, MLflow, Superset and the Hive metastore. The image
# of PostgreSQL runs this once, with an empty data folder.
set -eu
make_database() {
    psql --quiet --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
        --set name="$1" --set login="$2" --set password="$(cat "/run/secrets/$3")" <<'SQL'
CREATE ROLE :"login" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"login";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}
make_database airflow airflow AIRFLOW_DATABASE_PASSWORD
make_database mlflow mlflow MLFLOW_DATABASE_PASSWORD
make_database superset superset SUPERSET_DATABASE_PASSWORD
make_database metastore hive HIVE_METASTORE_PASSWORD
