"""Where in a picture its animal is."""
