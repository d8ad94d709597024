"""Rules: one page each, pure, vectorised, with an answer for missing data and a sentence."""
