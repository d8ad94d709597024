#!/bin/sh
# Turn mounted secrets into variables of this process alone, then become the command.
set -eu
for file in /run/secrets/*; do
    if [ -f "$file" ]; then export "$(basename "$file")=$(cat "$file")"; fi
done
exec "$@"
