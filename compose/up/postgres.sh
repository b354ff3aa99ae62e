#!/bin/sh
# Postgres in compose.yaml: makes a cluster where there is none, gives the roles their passwords, and serves.
set -eu
data=/octo/data
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

if [ ! -s $data/PG_VERSION ]; then
  install -d -o postgres -g postgres -m 0700 $data
  as_postgres initdb --pgdata=$data --username=octo_grader --encoding=UTF8 --locale=C \
    --locale-provider=builtin --builtin-locale=C.UTF-8 --no-instructions
fi

# Alone with it: no port, and a socket that only this container reaches.
echo 'local all all trust' >/tmp/alone.conf
chmod 644 /tmp/alone.conf
as_postgres pg_ctl --pgdata=$data --silent --wait start \
  -o "-c hba_file=/tmp/alone.conf -c listen_addresses='' -c unix_socket_directories=/tmp"
as_postgres psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host=/tmp --username=octo_grader --dbname=template1 --file=/octo/up/roles.sql
as_postgres pg_ctl --pgdata=$data --silent --wait --mode=fast stop

echo 'host all all all scram-sha-256' >/tmp/serving.conf
chmod 644 /tmp/serving.conf
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D $data -c hba_file=/tmp/serving.conf \
  -c listen_addresses='*' -c unix_socket_directories= -c shared_preload_libraries=pg_stat_statements -c timezone=UTC
