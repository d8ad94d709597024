"""Run ingest: admit purchases and labels from feeds and by the HTTP API."""
