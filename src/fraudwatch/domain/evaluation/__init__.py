"""How good verdicts were, held against what is known; ``docs/quality.md`` says why so."""
