"""The marts of ``out_``: pure transforms, one module a kind; ``docs/reports.md`` defines them."""
