"""Generate docker-compose.yml from the catalogue, and prepare engines inside containers.

``compose.toml`` beside this file has what containers need besides: images, profiles, volumes.
"""
