"""How good the verdicts were that were given: truth and verdicts joined, then measured."""
