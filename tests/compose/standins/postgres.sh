#!/bin/bash
# Stand-in for the entry point of PostgreSQL's image: with an empty data folder, create the cluster and
# run the scripts of /docker-entrypoint-initdb.d; then become the server.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS >/dev/null
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    export PGPASSWORD PGHOST=/tmp
    PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
    pg_ctl --silent --wait --options="-c listen_addresses='' -k /tmp" start
    for script in /docker-entrypoint-initdb.d/*; do "$script"; done
    pg_ctl --silent --wait --mode=fast stop
fi
exec "$@" -c listen_addresses='*' -k /tmp
