"""Prometheus exporter for Huawei SmartPVMS / FusionSolar."""
