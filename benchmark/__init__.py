"""Reproducible measurements. Figures are ratios against a baseline taken in the same run."""
