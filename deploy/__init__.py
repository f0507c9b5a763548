"""Deployment and monitoring: manifests, images, rules, dashboards, and their generators."""
