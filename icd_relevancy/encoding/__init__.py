"""A transformer encoder: found, checked, run, and its embeddings kept."""
