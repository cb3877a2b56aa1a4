[range(3)] | map(. * 2) | add
