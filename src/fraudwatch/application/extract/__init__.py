"""Extract a closed day from the source into the lake and check it."""
