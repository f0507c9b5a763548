#!/bin/sh
# Creates missing topics of topics.tsv; existing ones keep their partitions.
# PARTITIONS: of each; REPLICAS: of each partition; BROKER: host:port.
set -eu
cd "$(dirname "$0")"
grep -v '^#' topics.tsv | while read -r topic retention bytes; do
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server "$BROKER" --create --if-not-exists --topic "$topic" \
    --partitions "$PARTITIONS" --replication-factor "$REPLICAS" \
    --config retention.ms="$retention" --config max.message.bytes="$bytes"
done
