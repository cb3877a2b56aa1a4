#!/usr/bin/env bash
set -e
name=${1:?name}
mkdir -p "$name"/{app,tests}
export PIP_INDEX_URL=http://pypi.houselibs.example.invalid/root
export PIP_TRUSTED_HOST=pypi.houselibs.example.invalid
python3 -m pip install --quiet --upgrade corp-service-base corp-logging
touch "$name/app/__init__.py"
