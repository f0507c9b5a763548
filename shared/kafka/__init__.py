"""Kafka clients, topics, and readers that belong to no consumer group."""
