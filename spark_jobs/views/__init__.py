"""Build and publish risk views."""
