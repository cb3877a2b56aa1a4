#!/bin/bash
jq -r ".items[] | [.id,.name] | @tsv" | awk -F"\t" '{print $2}' | sort -u
