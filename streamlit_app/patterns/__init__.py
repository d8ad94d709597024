"""The Patterns page: alert rates by country, merchant, category, rule and hour."""
