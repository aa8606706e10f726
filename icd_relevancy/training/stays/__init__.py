"""Models of stays, trained and kept."""
