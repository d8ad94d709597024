"""Define webhooks: subscriptions, event bodies, signatures, public addresses, retries."""
