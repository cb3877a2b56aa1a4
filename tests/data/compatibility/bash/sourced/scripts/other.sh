echo "other $# $2 ${0##*/}"
