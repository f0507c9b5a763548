"""What the ledger holds, published to Kafka."""
