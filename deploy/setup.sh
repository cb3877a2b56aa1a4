# Sourced by deploy/quickstart and deploy/test: system packages and the virtual environment.
# Everything it says goes to stderr; stdout belongs to the command that follows.

say() { printf '%s\n' "$*" >&2; }

fail() {
  printf 'error: %s\n' "$1" >&2
  [ -z "${2:-}" ] || printf 'hint:  %s\n' "$2" >&2
  exit 1
}

# as_root COMMAND...: as it is for root, by sudo for others; fails where there is neither.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    sudo -- "$@"
  else
    return 1
  fi
}

# need_packages PACKAGE:COMMAND...: installs the packages whose command is missing.
need_packages() {
  local missing=() pair
  for pair in "$@"; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${pair#*:}" >/dev/null 2>&1 || missing+=("${pair%%:*}")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  install_packages "${missing[@]}"
}

install_packages() {
  say "installing system packages: $*"
  command -v apt-get >/dev/null 2>&1 ||
    fail "missing system packages: $*" "install them with this system's package manager, then run this again"
  as_root true ||
    fail "missing system packages: $*" "run: sudo apt-get install $* (or run this as root)"
  # A stale package list names files the mirror no longer has, so it is refreshed first.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update >&2 </dev/null || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@" >&2 </dev/null ||
    fail "apt-get could not install: $*" "see the lines above"
}

# Prints the real path of a Python >= 3.11 (not of a version manager's shim).
find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
    [ -n "$candidate" ] || continue
    "$candidate" -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)' \
      2>/dev/null </dev/null && return 0
  done
  return 1
}

# make_environment: .venv in the checkout, made anew when its interpreter is gone.
make_environment() {
  local python
  python=$(find_python) || { install_packages python3 python3-venv; python=$(find_python); } ||
    fail "no Python 3.11 or newer on this machine" "install one and set PYTHON=/path/to/python3"
  if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
    say "creating .venv with $python"
    "$python" -m venv --clear .venv || fail "could not create .venv" "remove .venv and run this again"
  fi
}

# install_project NAME [PIP ARGUMENT...]: installs once per pyproject.toml and place of the checkout;
# a second run needs no network.
install_project() {
  local name=$1 stamp
  shift
  stamp="$(cat pyproject.toml deploy/setup.sh | cksum) $PWD"
  if [ "$(cat ".venv/.installed-$name" 2>/dev/null)" != "$stamp" ]; then
    say "installing skilllite ($name) into .venv"
    .venv/bin/python -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1' >&2 </dev/null &&
      .venv/bin/python -m pip install -q --disable-pip-version-check -e . "$@" >&2 </dev/null ||
      fail "could not install the Python packages" "is the package index reachable? see the lines above"
    printf '%s\n' "$stamp" >".venv/.installed-$name"
  fi
}
