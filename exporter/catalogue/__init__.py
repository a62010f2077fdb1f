"""What each KPI key means: tables, one row a key; nothing of how it is fetched or rendered."""
