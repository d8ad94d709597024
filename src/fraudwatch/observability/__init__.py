"""What every process says of itself: metrics and logs."""
