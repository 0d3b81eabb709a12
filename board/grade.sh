#!/usr/bin/env bash
# usage: grade.sh SUBMISSIONS GRADED, with the answers in the variable ANSWERS (README.md: "Set it up")
#
# Copies the submissions to the new folder GRADED, verifies each by the board's answers, then grades its run there. Exit
# code 1: one of them doesn't hold, isn't whole, or can't be graded. What was submitted is read as data: nothing of it is
# run or installed, and nothing in it is changed.
set -euo pipefail
export LC_ALL=C.UTF-8
shopt -s nullglob dotglob

submissions=$1
graded=$2
private=$(mktemp -d)
silence=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
trap 'rm -rf "$private"; echo "::$silence::"' EXIT
# What is printed from here on holds words of submitters, which must not be taken for commands of the workflow.
echo "::stop-commands::$silence"

refuse() {
  printf 'Refused: %s\n' "$*"
  exit 1
}

[ -n "${ANSWERS:-}" ] || refuse "nothing is graded, as there are no answers here: set the secret EGOCROSS_ANSWERS"
if ! printf '%s' "$ANSWERS" | base64 --decode | gunzip > "$private/answers.json"; then
  refuse "the secret EGOCROSS_ANSWERS isn't what 'gzip -c FILE | base64' makes"
fi
[ -d "$submissions" ] || refuse "there is no folder $submissions"
odd=$(find "$submissions" ! -type f ! -type d -print -quit)
[ -z "$odd" ] || refuse "$(printf '%q' "$odd") is a link or no file"
# Questions of your own, where the board is over others than the published testbed.
questions=()
own=$(dirname "$0")/questions.json
[ ! -f "$own" ] || questions=(--questions "$own")
[ ! -e "$graded" ] || refuse "$graded exists already: name a new folder for the graded copies"
cp -R "$submissions" "$graded"
# Figures are those found here alone.
find "$graded" -type f -name results.json -delete

grade() {
  local run
  if [ -f "$1/run.json" ]; then
    egocross-eval score "$1" --answers "$private/answers.json"
    return
  fi
  for run in "$1"/*/; do
    [ ! -f "$run/run.json" ] || egocross-eval score "$run" --answers "$private/answers.json" || return
  done
}

failed=0 found=0
for place in "$graded"/*/; do
  place=${place%/} found=1
  case ${place##*/} in
    .* | *[!A-Za-z0-9._-]*) refuse "$(printf '%q' "$place"): name it by letters, digits, '.', '_' and '-'" ;;
  esac
  printf '\n%s\n' "$place"
  if ! { egocross-eval leaderboard verify "$place/rows.json" "$place/run" --answers "$private/answers.json" --strict \
    "${questions[@]}" \
    && grade "$place/run"; }; then
    printf 'REFUSED: %s\n' "$place"
    failed=1
  fi
done
[ "$found" = 1 ] || refuse "$submissions holds no submission"
exit $failed
