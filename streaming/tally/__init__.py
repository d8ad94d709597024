"""Run the tally: count verdicts by day and dimension."""
