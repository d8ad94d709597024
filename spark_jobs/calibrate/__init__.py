"""Steps of ``renew_alert_curve``."""
