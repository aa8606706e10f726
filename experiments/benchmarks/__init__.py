"""Speed as ratios, each measured within one run: `make bench`."""
