"""What deploys and watches Resight: manifests, images, rules, dashboards, and what makes them."""
