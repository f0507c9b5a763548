"""Pictures in the API and pages."""
