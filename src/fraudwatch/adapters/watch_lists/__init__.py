"""Read watch lists from files of the home, and find similar names in them."""
