#!/usr/bin/env bash
# Reads the reports that the run GRADED_RUN left, at most 1 MB each, as data; sets a commit status on HEAD_SHA for each lesson.
# Nothing in them is believed before `octo_lab report` has held it against the schema.
set -euo pipefail

octo_lab=${OCTO_LAB:-.venv/bin/octo_lab}
artifact=$(gh api "repos/$GITHUB_REPOSITORY/actions/runs/$GRADED_RUN/artifacts" \
  --jq '.artifacts | map(select(.name == "grade" and .size_in_bytes < 10000000)) | .[0].id // empty')
if [ -z "$artifact" ]; then
  echo "That run left no reports, or too much."
  exit 0
fi
room=$(mktemp -d)
gh api "repos/$GITHUB_REPOSITORY/actions/artifacts/$artifact/zip" >"$room/reports.zip"
mkdir -p pages
for folder in labs/lesson-[0-9][0-9]; do
  lesson=$(basename "$folder")
  report=$room/report.json
  { unzip -p "$room/reports.zip" "$lesson.json" 2>/dev/null || true; } | head -c 1000001 >"$report" || true
  [ -s "$report" ] || continue
  state=error
  description="octo_lab never wrote such a report"
  if "$octo_lab" report "$report" --as github-summary >"$room/summary.md" && [ "$(jq -r .lesson "$report")" = "$lesson" ]; then
    cat "$room/summary.md" >>"$GITHUB_STEP_SUMMARY"
    "$octo_lab" report "$report" --as html --output "pages/$lesson.html"
    state=$(jq -r 'if .partial then "error" else {pass: "success", fail: "failure"}[.verdict] // "error" end' "$report")
    description=$(jq -r '"\(.verdict): \(.points) of \(.points_possible) points"' "$report")
  fi
  gh api --method POST "repos/$GITHUB_REPOSITORY/statuses/$HEAD_SHA" --silent \
    -f state="$state" -f context="octo_lab/$lesson" -f description="$description" \
    -f target_url="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"
done
