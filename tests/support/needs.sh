#!/bin/sh
# Installs what the tests need beside Python: PostgreSQL and Chromium. Without root it says what to install.
has() { command -v "$1" >/dev/null 2>&1; }
missing=""
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || has initdb || missing="$missing postgresql"
has chromium || has chromium-browser || has google-chrome || missing="$missing chromium"
[ -z "$missing" ] && exit 0
if has apt-get && [ "$(id -u)" = 0 ]; then
  echo "Installing for the tests:$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null 2>&1
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 && exit 0
fi
echo "Not installed:$missing. The tests that need them are skipped by name; install them to run all."
exit 0
