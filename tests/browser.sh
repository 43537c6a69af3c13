#!/usr/bin/env bash
# Prints the path of a Chromium or Chrome for the browser tests; installs Debian's where this user may.
set -u

find_browser() {
  for name in "${HOLDPOINT_BROWSER:-}" chromium chromium-browser google-chrome google-chrome-stable chrome; do
    [ -n "$name" ] && command -v "$name" && return 0
  done
  return 1
}

find_browser && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Debian's chromium for the browser tests." >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >/dev/null 2>&1
  find_browser && exit 0
fi
echo "The browser tests need Chromium or Chrome: install one (Debian: apt-get install chromium)," >&2
echo "or name it in HOLDPOINT_BROWSER, and run make test again." >&2
exit 1
