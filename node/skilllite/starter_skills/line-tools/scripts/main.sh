#!/usr/bin/env bash
# Sort, filter, count and cut the lines of a text.
#
# request.jq checks the request and writes two things into one pipe: the options, one a line, and
# behind them the lines of the text. The shell reads the options and leaves the rest of the pipe to
# the tools, so no part of a text is ever expanded, split or run by the shell.

set -uo pipefail

# Sorting by code point and upper and lower case beyond ASCII, whatever the caller's language.
export LC_ALL=C.UTF-8

directory=${BASH_SOURCE[0]%/*}
[[ $directory == "${BASH_SOURCE[0]}" ]] && directory=.

refuse() {
  jq -cn --arg message "$1" '{error: $message}'
  exit 1
}

# Standard input holds what request.jq wrote.
answer() {
  local outcome='' reason operation order numeric ignore_case lines start invert contains
  read -r outcome
  case $outcome in
    ok) ;;
    refused) read -r reason && refuse "$reason" ;;
    *) refuse 'the input is not valid JSON' ;;
  esac
  read -r operation
  read -r order
  read -r numeric
  read -r ignore_case
  read -r lines
  read -r start
  read -r invert
  IFS= read -r contains
  # A carriage return at the end belongs to the line break, not to the line.
  sed 's/\r$//' | transform | present
}

transform() {
  case $operation in
    sort) sort_lines ;;
    unique) unique_lines ;;
    count) count_lines ;;
    reverse) reverse_lines ;;
    head) gawk -v lines="$lines" 'NR <= lines' ;; # head closes the pipe on a writer not yet done
    tail) tail -n "$lines" ;;
    number) gawk -v number="$start" '{ print number++ "\t" $0 }' ;;
    filter) filter_lines ;;
  esac
}

sort_lines() {
  local options=(--parallel=1) # few lines; more threads would count against the process limit
  [[ $order == descending ]] && options+=(--reverse)
  [[ $numeric == true ]] && options+=(--numeric-sort)
  [[ $ignore_case == true ]] && options+=(--ignore-case)
  sort "${options[@]}"
}

unique_lines() {
  gawk -v fold="$ignore_case" '{ key = fold == "true" ? tolower($0) : $0 } !seen[key]++'
}

# Most frequent first, equal ones in the order of their first appearance.
count_lines() {
  gawk '
    !($0 in count) { order[++distinct] = $0 }
    { count[$0]++ }
    END { for (i = 1; i <= distinct; i++) print count[order[i]] " " order[i] }
  ' | sort --parallel=1 --stable --key=1,1nr
}

# Not tac: it copies a pipe to a file first.
reverse_lines() {
  gawk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) print line[i] }'
}

filter_lines() {
  local options=(--text --fixed-strings)
  [[ $invert == true ]] && options+=(--invert-match)
  [[ $ignore_case == true ]] && options+=(--ignore-case)
  grep "${options[@]}" --regexp="$contains" || [[ $? == 1 ]] # 1: no line was selected
}

present() {
  local form='{operation: $operation, count: length, lines: .}'
  if [[ $operation == count ]]; then
    form='map(index(" ") as $at | {line: .[$at + 1:], count: (.[:$at] | tonumber)})
      | {operation: $operation, count: length, counts: .}'
  fi
  jq -cRn --arg operation "$operation" "[inputs] | $form"
}

for tool in jq gawk grep sed sort tail; do
  if [[ -z $(type -P "$tool") ]]; then
    printf '{"error": "this skill needs %s, which is not installed"}\n' "$tool"
    exit 1
  fi
done

jq --raw-output --slurp --from-file "$directory/request.jq" 2>/dev/null | answer
