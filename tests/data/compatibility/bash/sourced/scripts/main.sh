# Functions from a file of the skill, and its data, found from the script's own place.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/functions.sh"
. "${here}/functions.sh"
greet "$(jq -r .text)"
cat "$here/../assets/words.txt" | while read -r word; do printf '<%s>' "$word"; done; echo
awk -f "$here/program.awk" "$here/../assets/words.txt"
sed -f "$here/program.sed" "$here/../assets/words.txt"
jq -n -f "$here/program.jq"
bash "$here/other.sh" a "b c"
echo "$(basename "$0") ${BASH_SOURCE[0]##*/} ${FUNCNAME[0]-top}"
