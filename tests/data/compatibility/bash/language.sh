# The language: arrays, functions, expansion, arithmetic, case, loops, here-documents.
set -euo pipefail
words=(eins "zwei drei" vier)
words+=("fünf")
declare -A ages=([ana]=30 [bob]=40)
echo "${#words[@]} ${words[1]} ${words[@]:1:2} ${!words[*]}"
for name in $(printf '%s\n' "${!ages[@]}" | sort); do echo "$name=${ages[$name]}"; done
add() { local -i sum=0; for n in "$@"; do sum+=$n; done; echo "$sum"; }
echo "sum $(add 1 2 3) $((2 ** 10 % 7)) $((16#ff))"
text="Hello World.tar.gz"
echo "${text%.*} ${text%%.*} ${text##*.} ${text/World/Welt} ${text,,} ${text^^} ${#text} ${text:6:5} ${missing:-default}"
case $text in H*gz) echo matched ;; *) echo other ;; esac
[[ $text =~ ([a-z]+)\.tar ]] && echo "${BASH_REMATCH[1]}"
cat <<END
here: $((1 + 1)) $(echo nested)
END
cat <<'END'
literal: $HOME
END
tr a-z A-Z <<<"here string"
i=0; while ((i < 3)); do printf '%s ' "$i"; i=$((i + 1)); done; echo
for ((n = 0; n < 3; n++)); do ((n == 1)) && continue; echo "n $n"; done
until false; do break; done
while IFS=, read -r a b; do echo "$b-$a"; done <<<"x,1
y,2"
printf '%05.2f|%-5s|%x|%q\n' 3.14159 ab 255 "it's"
echo {1..5} {a..c}{1,2}
select_() { getopts "ab:" option && echo "$option ${OPTARG-none}"; }
select_ -b value
unset words; echo "${words[@]-unset}"
( exit 3 ) || echo "subshell $?"
{ echo grouped; } | cat
false || true
echo $'tab\there' "$(printf '\u00fc')"
shopt -s extglob nullglob; echo "[$(echo /nowhere/*)]"
IFS=: read -r first rest <<<"a:b:c"; echo "$first $rest"
readonly fixed=1; (fixed=2) 2>/dev/null || echo "readonly"
eval 'echo evaluated'
[ "$((RANDOM + RANDOM + RANDOM))" -ge 0 ] && echo random
echo "${PIPESTATUS[@]}"
