"""The experiments of the HMHAN paper: radiology reports, negation, hierarchical attention."""
