#!/bin/sh
# Checks what must be on the machine before anything can be installed. One line for each thing that is missing or too old;
# exits 1 then. Everything else comes from package registries.
set -u
status=0

fail() {
  echo "$1" >&2
  status=1
}

# need <command> <what it is> <what it is needed for>
need() {
  command -v "$1" >/dev/null 2>&1 || fail "$2 is missing: install it (command $1) $3"
}

# need_version <command> <oldest major version> <option that prints the version> <what it is> <what it is needed for>
need_version() {
  if ! command -v "$1" >/dev/null 2>&1; then
    fail "$4 is missing: install version $2 or newer (command $1) $5"
    return
  fi
  version=$("$1" "$3" 2>&1 | grep -Eo '[0-9]+(\.[0-9]+)*' | head -n 1)
  [ "${version%%.*}" -ge "$2" ] || fail "$4 $version is too old: install version $2 or newer (command $1) $5"
}

[ "$(uname -s)" = Linux ] || fail "the embedded stack runs on Linux only, and this is $(uname -s)"
need_version node 20 --version Node.js "to install the project's own Node.js and packages"
need npm npm "to install the project's packages"
need_version java 17 -version Java 'to run Kafka and the schema registry'
need mvn Maven 'to fetch Kafka, the schema registry and Redis'
need go Go 'to build the MongoDB-wire and S3 servers'
need flock flock 'to guard data folders (package util-linux)'
exit $status
