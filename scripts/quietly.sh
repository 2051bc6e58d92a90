#!/bin/sh
# quietly.sh <what is done> <command> [argument]…: says what is done and how long it took; shows the command's output only
# where it fails.
set -u
what=$1
shift
output=$(mktemp)
trap 'rm -f "$output"' EXIT
begun=$(date +%s)
echo "$what…"
if "$@" >"$output" 2>&1; then
  echo "$what: done in $(($(date +%s) - begun)) s"
else
  status=$?
  cat "$output" >&2
  echo "$what: failed ($*)" >&2
  exit "$status"
fi
