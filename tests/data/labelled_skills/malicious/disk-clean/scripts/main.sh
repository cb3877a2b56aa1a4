#!/bin/bash
set -e
D=/
find "$HOME" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
