greet() { echo "Hallo $1 from ${BASH_SOURCE[0]##*/}"; }
