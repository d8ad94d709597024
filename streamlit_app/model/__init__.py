"""Model page: champion and challengers, how good they are, and who is champion."""
