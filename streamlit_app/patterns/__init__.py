"""The patterns screen: alert rates by country, merchant, category, rule and hour."""
