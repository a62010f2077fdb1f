"""State in PostgreSQL, shared by any number of replicas: docs/replicas.md."""
