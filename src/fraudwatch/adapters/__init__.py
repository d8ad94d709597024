"""One engine a module: the only importers of drivers."""
