# Traps, background jobs, subshells, signals, temporary files, descriptors.
finish() { echo "finished with $?"; rm -f "$file"; }
trap finish EXIT
trap 'echo "line $LINENO failed"' ERR
file=$(mktemp); [ "$(dirname "$file")" = "$TMPDIR" ] && echo below
folder=$(mktemp -d); cd "$folder" && echo "in ${PWD#"$TMPDIR"/}" | sed 's/tmp\..*/a folder/'; cd "$TMPDIR" && rmdir "$folder"
{ sleep 0.05; echo slow > "$file"; } & job=$!
echo waiting; wait "$job"; echo "job $? $(cat "$file")"
( exit 7 ) & wait $!; echo "status $?"
trap 'echo caught' USR1; kill -USR1 $$; echo after
sleep 30 & sleep 0.2; kill $!; wait $! 2>/dev/null; echo "killed $?"
exec 3> other; echo through three >&3; exec 3>&-; cat other
echo error >&2; echo both > both.txt 2>&1
exec 4< other; read -r line <&4; exec 4<&-; echo "$line"
false; echo "went on"
(trap 'echo inner' EXIT; echo sub)
coproc { tr a-z A-Z; }; echo shout >&"${COPROC[1]}"; eval "exec ${COPROC[1]}>&-"; read -r loud <&"${COPROC[0]}"; echo "$loud"; wait
wait; jobs | wc -l
exit 5
