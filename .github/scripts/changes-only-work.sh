#!/usr/bin/env bash
# Exits 0 when the open pull request HEAD_LABEL (owner:branch) stands at HEAD_SHA and changes nothing but work/.
# Only then the workflow and the kit that graded it were the base's own. Sets a commit status when it changes more.
set -euo pipefail

pulls=$(gh api --method GET "repos/$GITHUB_REPOSITORY/pulls" -f state=open -f head="$HEAD_LABEL")
pull=$(jq -r 'map(select(.head.sha == env.HEAD_SHA)) | .[0].number // empty' <<<"$pulls")
if [ -z "$pull" ]; then
  echo "No open pull request stands at this commit any more."
  exit 1
fi
changed=$(gh api "repos/$GITHUB_REPOSITORY/pulls/$pull" --jq .changed_files)
others=$(gh api --paginate "repos/$GITHUB_REPOSITORY/pulls/$pull/files" \
  --jq '.[] | .filename, (.previous_filename // empty) | select(startswith("work/") | not)')
if [ -n "$others" ] || [ "$changed" -ge 3000 ]; then # GitHub lists 3000 files at most
  gh api --method POST "repos/$GITHUB_REPOSITORY/statuses/$HEAD_SHA" --silent \
    -f state=error -f context=octo_lab -f target_url="$GRADED_RUN_URL" \
    -f description="Not graded: this pull request changes more than work/"
  echo "This pull request changes more than work/: look at it, and grade it by hand."
  exit 1
fi
