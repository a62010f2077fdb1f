"""Prometheus exporter for Huawei SmartPVMS / FusionSolar."""

NAME = "fusionsolar-exporter"
