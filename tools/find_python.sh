#!/bin/sh
# Prints the first Python the lab runs on that can make environments: $PYTHON or one on the PATH.
for python in ${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
    if "$python" -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
        2>/dev/null; then
        echo "$python"
        exit 0
    fi
done
echo "No Python 3.11, 3.12 or 3.13 with the venv module was found." \
    "Install one (on Debian: apt install python3 python3-venv) or name it:" \
    "make run PYTHON=/path/to/python3.11" >&2
exit 1
