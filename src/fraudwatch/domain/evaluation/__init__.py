"""Evaluate scores and verdicts against labels; ``docs/quality.md`` gives the reasons."""
