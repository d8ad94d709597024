"""The notifier's state, and its channels to people: mail, chat webhook, SMS gateway."""
