"""Evaluate verdicts against labels: join both by transaction, then measure."""
