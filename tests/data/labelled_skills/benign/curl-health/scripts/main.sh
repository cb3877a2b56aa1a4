#!/bin/bash
for u in "$@"; do printf "%s %s\n" "$(curl -s -o /dev/null -w "%{http_code}" "$u")" "$u"; done
