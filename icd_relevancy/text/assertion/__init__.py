"""What a note affirms and what it negates."""
