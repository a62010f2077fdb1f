"""What people are shown of the accounts: the records, their assessment, and how values read."""
