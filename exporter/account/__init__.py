"""What one account knows, when it may ask, and how it asks."""
