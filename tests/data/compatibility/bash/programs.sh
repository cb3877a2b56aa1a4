# Pipes of the usual programs over the input and over files in scratch.
set -euo pipefail
input=$(cat)
jq -r '.text' <<<"$input"
jq -c '{n: (.n * 2), keys: keys, up: (.text | ascii_upcase)}' <<<"$input"
seq 1 20 | awk '{ s += $1; if ($1 % 5 == 0) print "line", NR, s } END { printf "%.2f\n", s / NR }'
printf 'b 2\na 10\nc 1\n' > table
sort table; sort -k2 -n -r table; sort -k2 -n table | head -n 1 | cut -d' ' -f2
sed -n -e 's/^\([a-z]\) \([0-9]*\)$/\2-\1/p' table
sed -i 's/10/11/' table; grep -c 1 table; grep -E '^(a|b)' table | tail -n 1
printf 'x\nx\ny\n' | uniq -c | tr -s ' '
wc -l < table; tr 'a-c' 'A-C' < table | paste -s -d, -
echo 'Grüße' | sha256sum; echo -n abc | md5sum; echo -n abc | base64; echo YWJj | base64 -d; echo
date -u -d @0 +%Y-%m-%dT%H:%M:%SZ; basename /a/b.txt .txt; dirname /a/b.txt
mkdir -p deep/er; touch deep/er/file; cp table deep/copy; mv deep/copy deep/moved; ln -s moved deep/link
ls -1 deep; readlink deep/link; cat deep/link | wc -l; rm -r deep; [ ! -e deep ] && echo gone
printf '1 a\n2 b\n' > l; printf '1 x\n2 y\n' > r; join l r
numfmt --to=iec 1048576; seq -s+ 1 5; factor 42; expr 6 '*' 7; printf '%s\n' a b | nl | tr -s ' \t' ' '
printf "a,b\n" | tee copy > /dev/null
cat copy; od -An -tx1 copy | tr -d ' \n'; echo; fold -w 4 <<<"abcdefgh"; shuf -i 1-3 | sort | tr -d '\n'; echo
stat -c '%s %A' table; du -b table | cut -f1; truncate -s 10 table; wc -c < table; split -n 2 table p; ls p*
env | sort | grep -v -e '^_=' -e '^SHLVL=' -e '^PWD=' -e '^OLDPWD='
timeout 5 true && echo in time; sleep 0.01; test 1 -lt 2 && echo less
