"""Use cases of webhooks: manage subscriptions, record events, deliver them."""
