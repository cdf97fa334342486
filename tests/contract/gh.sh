#!/bin/bash
# GitHub's own command line client goes through the operations of github-simulator: gh.sh URL TOKEN CONTROL_URL
# `gh` speaks plain HTTP only over a unix socket, which socat leads to URL.
set -euo pipefail
url=$1 control=$3
export GH_TOKEN=$2 GH_NO_UPDATE_NOTIFIER=1 GH_PROMPT_DISABLED=1 NO_COLOR=1
folder=$(mktemp -d)
export GH_CONFIG_DIR=$folder/config
socat "UNIX-LISTEN:$folder/socket,fork" "TCP:${url#http://}" &
socat=$!
trap 'kill $socat; rm -rf "$folder"' EXIT
for _ in $(seq 200); do [ -S "$folder/socket" ] && break; sleep 0.05; done
gh config set http_unix_socket "$folder/socket"

expect() { # what is wanted, what came
  [ "$1" = "$2" ] || { echo "gh: wanted '$1', got '$2'" >&2; exit 1; }
}
refused() { # the message's beginning, then the command
  local wanted=$1 said
  shift
  if said=$("$@" 2>&1); then echo "gh: not refused: $*" >&2; exit 1; fi
  case $said in *"$wanted"*) ;; *) echo "gh: '$said' instead of '$wanted'" >&2; exit 1 ;; esac
}

for scope in repos/octo-org/octo-repo orgs/octo-org; do
  runners=$scope/actions/runners
  register() {
    gh api -X POST "$runners/generate-jitconfig" -f "name=$1" -F runner_group_id=1 -f 'labels[]=self-hosted' -f 'labels[]=gh'
  }
  id=$(register servo-ubuntu2204.12@ci0 | python3 -c 'import json, sys; print(json.load(sys.stdin)["runner"]["id"])')
  refused 'HTTP 409' register servo-ubuntu2204.12@ci0
  refused 'HTTP 422' gh api -H 'X-Wrong-On-Purpose: request' -X POST "$runners/generate-jitconfig" -f name=nothing-else
  for i in $(seq 31); do register "gh.$i" >/dev/null; done
  expect 1 "$(gh api "$runners?name=servo-ubuntu2204.12%40ci0" -q .total_count)"
  expect 32 "$(gh api --paginate "$runners" -q '.runners[].id' | sort -u | wc -l)"
  expect offline "$(gh api "$runners/$id" -q .status)"
  refused 'HTTP 404' gh api "$runners/1"
  expect 3 "$(gh api -X POST "$runners/$id/labels" -f 'labels[]=reserved-for:x' -q .total_count)"
  expect 3 "$(gh api "$runners/$id/labels" -q .total_count)"
  expect 2 "$(gh api -X DELETE "$runners/$id/labels/reserved-for%3Ax" -q .total_count)"
  gh api -X PUT "$runners/$id/labels" -f 'labels[]=a b/c' >/dev/null
  gh api -X DELETE "$runners/$id/labels/a%20b%2Fc" >/dev/null
  gh api -X DELETE "$runners/$id/labels" >/dev/null
  gh api -X DELETE "$runners/$id" >/dev/null
  refused 'HTTP 404' gh api -X DELETE "$runners/$id"
done

run=$(curl -fsS -X POST "$control/_control/jobs" -d '{"labels": ["self-hosted"], "repo": "octo-org/octo-repo"}' |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["run_id"])')
expect "$run" "$(gh api "repos/octo-org/octo-repo/actions/runs/$run" -q .id)"
expect queued "$(gh api "repos/octo-org/octo-repo/actions/runs/$run/jobs" -q '.jobs[].status')"
repo=repos/octo-org/octo-repo
archive=$(python3 -c '
import base64, io, zipfile
file = io.BytesIO()
with zipfile.ZipFile(file, "w") as archive:
    archive.writestr("info", "unique_id=x\n")
print(base64.b64encode(file.getvalue()).decode())')
curl -fsS -X POST "$control/_control/artifacts" -d "{\"run_id\": $run, \"name\": \"one\", \"archive\": \"$archive\"}" >/dev/null
artifact=$(gh api "$repo/actions/runs/$run/artifacts?name=one" -q '.artifacts[].id')
expect one "$(gh api "$repo/actions/artifacts/$artifact" -q .name)"
expect "$archive" "$(gh api "$repo/actions/artifacts/$artifact/zip" | base64 -w0)"
gh api -X DELETE "$repo/actions/artifacts/$artifact" >/dev/null
refused 'HTTP 404' gh api "$repo/actions/artifacts/$artifact"
gh api -X POST "$repo/actions/runs/$run/cancel" >/dev/null
refused 'HTTP 409' gh api -X POST "$repo/actions/runs/$run/cancel"
gh api rate_limit -q .resources.core.limit >/dev/null
GH_TOKEN=wrong refused 'HTTP 401' gh api repos/octo-org/octo-repo/actions/runners
echo "gh: every operation"
