"""Reports in Superset: its settings, its setup, and the data sets, charts and dashboards.

``catalogue/`` describes them in Python; ``write.py`` writes the YAML in ``superset/`` that
``superset_setup.py`` imports. The only package that imports Superset.
"""
