#!/bin/sh
# Writes the password where only pgbouncer reads it, then becomes pgbouncer.
set -eu
umask 077
: "${POSTGRES_PASSWORD:?is not set}"
folder=$(mktemp -d)
escaped=$(printf '%s' "$POSTGRES_PASSWORD" | sed 's/"/""/g')
printf '"%s" "%s"\n' "${POSTGRES_USER:-continuo}" "$escaped" >"$folder/userlist.txt"
sed -e "s|POSTGRES_HOST|${POSTGRES_HOST:-postgres}|" -e "s|POSTGRES_PORT|${POSTGRES_PORT:-5432}|" -e "s|FOLDER|$folder|" \
  "$(dirname "$0")/pgbouncer.ini" >"$folder/pgbouncer.ini"
exec pgbouncer "$folder/pgbouncer.ini"
