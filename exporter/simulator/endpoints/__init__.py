"""What each interface of the reference answers."""
