#!/bin/sh
# Install one locked environment into an image, as src/fraudwatch/stack/environments.py does natively.
set -eu
uv=/opt/fraudwatch/bootstrap/bin/uv
folder=/opt/fraudwatch/envs/$1
export UV_NO_CACHE=1 UV_LINK_MODE=copy
"$uv" venv --quiet --no-python-downloads --python "$(command -v python)" "$folder"
# Compiled here: in a container that cannot be written every start would compile again.
"$uv" pip sync --quiet --compile-bytecode --require-hashes --python "$folder/bin/python" "requirements/$1.txt"
"$uv" pip install --quiet --no-deps --no-build-isolation --python "$folder/bin/python" -e .
