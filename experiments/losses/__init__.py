"""The experiments of the LOSSES paper: losses and measures that know which codes are close to each other."""
