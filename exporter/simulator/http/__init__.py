"""The management system over HTTP: sessions, limits, faults, the server."""
