"""What `benchmark.scan_accuracy` measures: labelled skills, rewrites of them, and the verdicts."""
