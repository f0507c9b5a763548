"""Publishes the ledger's contents to Kafka."""
