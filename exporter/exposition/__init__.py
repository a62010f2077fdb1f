"""What /metrics says: samples, guarded counters, rendered blocks, the exporter's own metrics."""
