# What the scripts share. Sourced, never run.
# shellcheck shell=bash
set -euo pipefail

# The repository, wherever the caller stands: the working directory stays the caller's.
# shellcheck disable=SC2034
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}
