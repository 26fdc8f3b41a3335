#!/bin/sh
# Prints how often each word occurs in the files it is given.
if [ "$1" = --version ]; then
  echo "tally @VERSION@"
  exit 0
fi
exec awk '
@PROGRAM@
' "$@"
