#!/bin/sh
# Starts everything on this machine, publishes synthetic animals, shows their decisions, and stops it.
set -eu
cd "$(dirname "$0")/../.."
compose="docker compose -f deploy/compose/compose.yaml"
resight=".venv/bin/resight"
trap '$compose down --volumes' EXIT
$compose up --build --detach --wait embedder lookup matcher registry prometheus grafana
test -d out/demo/drawn-24-0 || $resight demo
$resight publish out/demo/drawn-24-0 --bootstrap-servers localhost:9094
$resight watch --from-beginning --limit 100 --bootstrap-servers localhost:9094
