"""The Case page: one alert with its reasons, related purchases and decision; and the queue."""
