"""Adapters to the engines and to the outside: one package an engine, one driver a package."""
