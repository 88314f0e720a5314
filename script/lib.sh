# Shared by the scripts, which source it.
# shellcheck shell=bash
set -euo pipefail

# The repository's root. The caller's working directory does not change.
# shellcheck disable=SC2034
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}
