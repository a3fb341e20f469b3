#!/bin/sh
# Every check short of tests, each with its seconds; goes on to the end so that one run names all that is wrong.
# Runs with the engines' addresses set, since the missing-migration check compares with a database.
set -u
PATH="$PWD/.venv/bin:$PATH" DJANGO_SETTINGS_MODULE=contact_center.settings_test
export PATH DJANGO_SETTINGS_MODULE
failed=0
check() {
  title=$1; shift
  begun=$(date +%s)
  if output=$("$@" 2>&1); then
    printf '%10s | ok, %s s\n' "$title" $(($(date +%s) - begun))
  else
    printf '%s\n%10s | failed: %s\n' "$output" "$title" "$*"; failed=1
  fi
}
check style ruff check "$@"
check format ruff format --check "$@"
check templates djlint --lint --quiet templates
check types mypy contact_center patients inbox scheduling complaints analytics
check imports lint-imports
check migrations python manage.py makemigrations --check --dry-run
check django python manage.py check
if grep -n '://' requirements/*.txt; then echo "     locks | failed: a lock names an address"; failed=1; fi
exit $failed
