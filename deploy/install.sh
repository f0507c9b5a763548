#!/bin/sh
# Puts packages into /venv (or $VENV), at the versions of constraints.txt. Run in the build stages of the Dockerfile.
set -eu
pip() {
  python -m pip --python "${VENV:-/venv}/bin/python" "$@"
}

what="$1"
shift
case "$what" in
  torch) # a CPU build, where the builder names an index of those
    if [ -n "${TORCH_INDEX:-}" ]; then
      pip install --no-compile --index-url "$TORCH_INDEX" "$(grep '^torch==' constraints.txt)"
    fi
    ;;
  packages) # of one extra, this project's own among them
    pip install --no-compile --constraint constraints.txt ".[$1]"
    ;;
  files) # of packages that begin so, without their dependencies
    for beginning in "$@"; do
      pip install --no-compile --no-deps $(grep "^$beginning" requirements/files-only.txt)
    done
    ;;
  gpu)
    pip uninstall --yes onnxruntime
    pip install --no-compile --no-deps onnxruntime-gpu==1.31.1
    ;;
  *)
    echo "install.sh: torch, packages EXTRA, files BEGINNING…, or gpu" >&2
    exit 2
    ;;
esac
