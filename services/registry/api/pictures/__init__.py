"""Pictures as the API and the pages may show them."""
