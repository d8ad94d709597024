"""Score purchases by a candidate beside the live verdict, and count what differs."""
