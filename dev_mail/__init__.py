"""Receive the platform's mails in development: an SMTP server with a web page."""
