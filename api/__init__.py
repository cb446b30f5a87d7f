"""Reporting API and review page over the store."""
