"""How a row of a table is trained and kept."""
