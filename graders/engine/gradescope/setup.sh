#!/usr/bin/env bash
# Made by `octo_lab export gradescope @LESSON@`. Gradescope runs this once, as root, while it builds the image.
# Anything else that your students' services need (Node, say) goes here.
set -euo pipefail

kit=${AUTOGRADER_HOME:-/autograder}/source/kit
room=/opt/octo_lab

python_of_the_kit() { # the newest Python that is new enough and can make environments
  local each
  for each in python3.14 python3.13 python3.12 python3.11 python3; do
    if "$each" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$each"
      return
    fi
  done
  return 1
}

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends ca-certificates python3-venv >/dev/null
if ! python_of_the_kit >/dev/null; then # Ubuntu 22.04 has Python 3.11 beside its own
  apt-get install -qq -y --no-install-recommends python3.11 python3.11-venv >/dev/null || true
fi
if ! python=$(python_of_the_kit); then
  echo "octo_lab needs Python 3.11 or later: choose Ubuntu 24.04 in the autograder's settings." >&2
  exit 1
fi

"$python" -m venv "$room/venv"
"$room/venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r "$kit/requirements.txt"
"$room/venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e "$kit"

# The reference must pass here: that proves the image, and leaves the dataset and the service's environment in the cache.
export OCTO_LAB_CACHE=$room/cache
"$room/venv/bin/octo_lab" grade @LESSON@ --reference --trusted --no-github --report json="$room/reference.json"
if grep -q '"isolation": "none' "$room/reference.json"; then
  echo "Here a submission would run as the grader itself, and could write its own results: see isolation above." >&2
  exit 1
fi
