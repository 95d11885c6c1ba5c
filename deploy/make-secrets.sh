#!/bin/sh
# Generates the secrets of a deployment as files, one per setting: make-secrets.sh [folder]. Files that exist are kept.
# The folder is closed to other users. The files are readable, because containers read them with a user id of their own.
set -eu
folder=${1:-"$(dirname "$0")/secrets"}
umask 077
mkdir -p "$folder"

make() { # name, value
  [ -e "$folder/$1" ] && return
  printf '%s\n' "$2" >"$folder/$1.new"
  chmod 444 "$folder/$1.new"
  mv "$folder/$1.new" "$folder/$1"
}

make GATEWAY_SERVICE_TOKEN "$(openssl rand -hex 32)"
make CREDENTIAL_KEYS "key1:$(openssl rand -base64 32)"
make AUTH_SECRETS "$(openssl rand -hex 32)"
make POSTGRES_PASSWORD "$(openssl rand -hex 32)"
make DATABASE_URL "postgresql://notion:$(cat "$folder/POSTGRES_PASSWORD")@postgres:5432/notion"
make REDIS_URL "redis://redis:6379"
