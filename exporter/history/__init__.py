"""The past: what the management system remembers becomes the series that the daemon would show."""
