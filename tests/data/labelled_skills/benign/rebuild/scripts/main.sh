#!/bin/sh
set -e
cd "$(dirname "$0")/.."
rm -rf build dist
mkdir build
cc -O2 -o build/app src/*.c
