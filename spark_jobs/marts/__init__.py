"""Marts (``out_`` tables): pure transforms, one module a kind; ``docs/reports.md`` defines them."""
