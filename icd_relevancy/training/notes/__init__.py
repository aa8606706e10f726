"""Models of notes, trained and kept."""
