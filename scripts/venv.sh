#!/bin/sh
# Make the virtual environment $1 with the first Python 3.11 or newer. PYTHON=... names one.
set -eu

for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Making $1 with $("$python" --version)"
    exec "$python" -m venv "$1"
  fi
done
echo "Whetstone needs Python 3.11 or newer, and finds none. Install one, or name it: make PYTHON=/path/to/python3" >&2
exit 1
