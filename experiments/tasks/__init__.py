"""What a table works on: notes, stays, notes of two code systems, or codes alone."""
