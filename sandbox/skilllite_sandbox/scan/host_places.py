"""What a path outside the skill means: secrets, start-up files, an agent's settings. Pure.

Paths come from source code and may be known in part: `UNKNOWN` stands for what isn't.
"""

from __future__ import annotations

import re
from enum import StrEnum

from skilllite_sandbox.scan.acts import Act

UNKNOWN = "\0"
"""Stands for a piece of text that isn't known. No source has it: a file with one is binary."""


class Place(StrEnum):
    """What kind of place a path names."""

    OWN = "own"
    """The skill, its input, its scratch, or a path that is not known."""
    SECRET = "secret"
    ENVIRONMENT = "environment"
    """The environment of a process, as a file."""
    START_UP = "start-up"
    """Whatever is written there runs later by itself."""
    AGENT = "agent"
    """Instructions, settings or skills of an agent."""
    RIGHTS = "rights"
    """Says who may do what: sudoers, passwd, shadow."""
    GUARD = "guard"
    """Settings and logs of what protects the machine."""
    DEVICE = "device"
    """A disk as a whole."""
    KEYS = "keys"
    """Tells which keys are pressed."""
    SYSTEM = "system"
    """Facts about the machine."""
    SETTINGS = "settings"
    """Settings of some program in the home directory, its token perhaps."""
    HOST = "host"


ACTS_OF_WRITING: dict[Place, tuple[Act, ...]] = {
    Place.START_UP: (Act.PERSIST,),
    Place.AGENT: (Act.CHANGE_AGENT,),
    Place.RIGHTS: (Act.GAIN_RIGHTS, Act.PERSIST),
    Place.GUARD: (Act.DISARM,),
    Place.DEVICE: (Act.DESTROY,),
    Place.HOST: (Act.WRITE_HOST_FILE,),
}
"""What it means to write there; the languages agree on it."""


_HOME = re.compile(
    r"^(?:~[a-z0-9_-]*|\$HOME|\$\{HOME\}|/root|/(?:home|Users)/[^/]+|[A-Za-z]:/Users/[^/]+"
    r"|%(?:USERPROFILE|APPDATA|LOCALAPPDATA)%)(?=/|$)"
)

_SECRET = re.compile(
    r"(?:^|/)(?:\.ssh(?:/|$)(?!known_hosts|config$)|\.aws(?:/|$)|\.gnupg(?:/|$)|\.kube(?:/|$)"
    r"|\.azure(?:/|$)|\.password-store(?:/|$)|\.docker/config\.json|\.netrc|_netrc|\.pgpass"
    r"|\.my\.cnf|\.git-credentials|\.npmrc|\.pypirc|\.vault-token|\.cargo/credentials"
    r"|\.terraform\.d/credentials|\.config/(?:gh|hub|gcloud|op|doctl|heroku|rclone)(?:/|$)"
    r"|\.local/share/keyrings|Library/Keychains|\.gem/credentials|\.m2/settings\.xml"
    r"|\.(?:bash|zsh|sh|psql|mysql|python|node_repl)_history|\.zhistory|\.claude/\.credentials"
    r"|\.codex/auth|\.(?:bitcoin|ethereum|electrum|litecoin|monero|solana|exodus)(?:/|$)"
    r"|\.config/(?:solana|Exodus)|wallet\.dat|\.mozilla(?:/|$)|Firefox/Profiles"
    r"|\.config/(?:google-chrome|chromium|BraveSoftware|microsoft-edge)|Google/Chrome"
    r"|BraveSoftware|User Data/Default|Login Data|Cookies(?:$|/|-journal)|key4\.db|logins\.json"
    r"|cookies\.sqlite|Local State$|discord/Local Storage|leveldb$|Telegram Desktop/tdata"
    r"|Electrum/wallets|id_(?:rsa|dsa|ecdsa|ed25519)(?!\.pub)|[^/]+\.(?:kdbx|keychain-db|jks|p12"
    r"|pfx)$|1Password|\.config/keybase)"
    r"|^/etc/(?:g?shadow|ssl/private|ssh/ssh_host_|kubernetes|krb5\.keytab)"
    r"|^(?:~|/(?!etc/ssl|usr|opt)).*(?:\.pem|/\.env|\0\.env)$"
    r"|^/(?:var/)?run/secrets|^/var/lib/docker|^/etc/NetworkManager/system-connections",
    re.IGNORECASE,
)
_ENVIRONMENT = re.compile(r"^/proc/[^/]+/environ$")
_COMMANDS = (
    "sudo|su|doas|ssh|scp|git|ls|cat|ps|top|python3?|node|npm|npx|pip3?|bash|sh|zsh|curl|wget|vim?"
    "|nano|docker|kubectl|make|gcc|which|env|open|passwd|login|gpg|aws|gh|claude|codex|code|brew"
    "|apt|apt-get|systemctl|crontab|grep|find|rm|cp|mv|tar|man|less|clear|history|id|who|whoami"
)
"""Names that a program of the same name shadows: whoever calls them runs that one instead."""
_START_UP = re.compile(
    r"^~/(?:\.(?:bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv"
    r"|zprofile|zlogin|zlogout|kshrc|mkshrc|cshrc|tcshrc|login|xinitrc|xprofile|xsession|xsessionrc"
    r"|vimrc|gvimrc|emacs|inputrc|pythonrc|tmux\.conf|screenrc|gitconfig|envrc)$"
    r"|\.pam_environment|\.ssh/(?:authorized_keys2?|rc|environment|config)|\.config/(?:autostart"
    r"|systemd|fish|environment\.d|git/|nvim/|upstart|cron)|\.local/share/systemd|\.git-templates"
    r"|Library/(?:LaunchAgents|LaunchDaemons|StartupItems)|\.(?:oh-my-zsh|bashrc\.d|profile\.d)(?:/|$)"
    r"|\.(?:config/)?pip/pip\.conf|\.npmrc|\.yarnrc"
    r"|(?:\.local/)?bin/(?:" + _COMMANDS + r")$|\.emacs\.d/|\.vim/(?:plugin|autoload)|\.termux/boot"
    r"|\.ipython/profile_default/startup)"
    r"|^/etc/(?:cron[^/]*(?:/|$)|anacrontab|rc\.local|rc\d?\.d|init\.d|inittab|init/|profile(?:$|\.d)"
    r"|bash\.bashrc|bashrc|zshrc|zsh/|zshenv|environment|systemd/|ld\.so\.preload|ld\.so\.conf"
    r"|xdg/autostart|update-motd\.d|apt/apt\.conf\.d|udev/rules|NetworkManager/dispatcher|modules"
    r"|ssh/sshd_config|gitconfig|crontabs)"
    r"|^/(?:usr/)?lib/systemd|^/var/spool/(?:cron|at|anacron)|^/(?:System/)?Library/Launch"
    r"|^/(?:usr/(?:local/)?)?s?bin/(?:" + _COMMANDS + r")$|^/root/\.ssh/authorized_keys"
    r"|(?:^|/)\.git/config$|(?:^|/)\.git/hooks/|(?:^|/)\.husky/|(?:^|/)\.ssh/authorized_keys"
    r"|(?:^|/)(?:site|user)customize\.py$|site-packages/[^/]+\.pth$"
    r"|Start Menu/Programs/Startup",
    re.IGNORECASE,
)
_AGENT = re.compile(
    r"(?:^|/)(?:CLAUDE(?:\.local)?\.md|AGENTS?\.md|GEMINI\.md|SOUL\.md|MEMORY\.md|\.cursorrules"
    r"|\.windsurfrules|\.clinerules|\.goosehints|\.cursor/|\.claude(?:/|\.json$)|\.codex/|\.gemini/"
    r"|\.continue/|\.windsurf/|\.codeium/|\.roo/|\.openclaw/|\.opencode/|\.config/opencode"
    r"|copilot-instructions\.md|\.mcp\.json$|mcp(?:_config|_settings|-config)?\.json$"
    r"|claude_desktop_config\.json|\.aider|\.skilllite/|\.skills/)"
    r"|(?:^|/)\.\./[^/]+/SKILL\.md$|^~/.*/SKILL\.md$|^~/.*/skills/",
    re.IGNORECASE,
)
_RIGHTS = re.compile(r"^/etc/(?:sudoers|passwd$|g?shadow|group$|pam\.d|polkit-1|doas\.conf)")
_GUARD = re.compile(
    r"^/(?:etc/(?:hosts$|resolv\.conf|nsswitch\.conf|selinux/|apparmor|audit/|security/|fail2ban/|rsyslog)|proc/sys/kernel/"
    r"|var/log/(?:audit|auth|secure|syslog|messages|kern|wtmp|btmp|lastlog|faillog|sudo|journal)"
    r"|sys/kernel/security|sys/fs/selinux)"
)
_DEVICE = re.compile(
    r"^/proc/sysrq-trigger"
    r"|^/dev/(?:sd[a-z]|hd[a-z]|vd[a-z]|xvd[a-z]|nvme|mmcblk|disk|rdisk|mem|kmem)"
)
_KEYS = re.compile(r"^/dev/input/")
_SYSTEM = re.compile(
    r"^/(?:etc/(?:os-release|lsb-release|hostname|machine-id|hosts|resolv\.conf|issue|timezone)"
    r"|proc/(?:cpuinfo|meminfo|version|uptime|loadavg|mounts|net/|stat|self/|1/|\d*/?status)|sys/)"
)
_SCRATCH = re.compile(
    r"^/(?:tmp|var/tmp|dev/(?:null|zero|full|stdin|stdout|stderr|fd|tty|u?random|shm|tcp|udp)"
    r"|usr/share/(?:zoneinfo|dict|fonts|doc|ca-certificates)|etc/(?:ssl/certs|ssl/cert\.pem"
    r"|pki|localtime|mime\.types)|work|workspace|app|skill|input|output|data|mnt/data)(?:/|$)"
)
_PROGRAM = re.compile(r"^/(?:usr/|opt/|usr/local/|opt/homebrew/)*s?bin/[^/]+$")
_CACHE = re.compile(r"^~/(?:\.cache|\.local/share/Trash|Library/Caches)/.")
_SETTINGS = re.compile(
    r"^~/(?:\.config/[^/]+|\.local/(?:share|state)/[^/]+|\.[A-Za-z0-9_-]+)(?:/|$)"
)


_KEYS_OF_PROJECT = re.compile(r"(?:^|/)\.env(?:\.(?!example|sample|template|dist)[\w-]+)?$")


def holds_variables(path: str) -> bool:
    """Tell whether a file beside what is worked on holds the variables of a project, its keys."""
    return bool(_KEYS_OF_PROJECT.search(path))


_VARIABLE_NAME = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]")


def names_one_variable(pattern: str) -> bool:
    """Tell whether a pattern picks one variable by its name out of many."""
    return "|" not in pattern and bool(_VARIABLE_NAME.search(pattern))


def normal_path(path: str) -> str:
    """Return the path with the home directory as `~`, forward slashes and no empty steps."""
    path = re.sub(r"/(?:\./)+|//+", "/", path.replace("\\", "/").strip().strip("'\""))
    return _HOME.sub("~", path, count=1) if path[:1] in "~$/%" or path[1:2] == ":" else path


def place_of(path: str) -> Place:
    """Return what kind of place a path names when it is read."""
    path = normal_path(path)
    if _ENVIRONMENT.match(path):
        return Place.ENVIRONMENT
    if _SECRET.search(path) and not path.endswith(".pub"):
        return Place.SECRET
    if _KEYS.match(path):
        return Place.KEYS
    if _DEVICE.match(path):
        return Place.DEVICE
    if _SCRATCH.match(path) or _PROGRAM.match(path):
        return Place.OWN
    if _SYSTEM.match(path):
        return Place.SYSTEM
    if _CACHE.match(path):
        return Place.OWN
    if _SETTINGS.match(path):
        return Place.SETTINGS
    return Place.HOST if _is_outside(path) else Place.OWN


def place_written(path: str) -> Place:
    """Return what kind of place a path names when something is written there."""
    path = normal_path(path)
    if _START_UP.search(path):
        return Place.START_UP
    if _AGENT.search(path):
        return Place.AGENT
    if _RIGHTS.match(path):
        return Place.RIGHTS
    if _GUARD.match(path):
        return Place.GUARD
    if _DEVICE.match(path):
        return Place.DEVICE
    if _SCRATCH.match(path) or _CACHE.match(path):
        return Place.OWN
    return Place.HOST if _is_outside(path) else Place.OWN


_PROGRAMS = re.compile(r"^(?:~/(?:\.local/)?|/(?:usr/(?:local/)?)?|/opt/[^/]+/)s?bin/")


def is_program_folder(path: str) -> bool:
    """Tell whether what is written there is found by its name alone, by everyone's shell."""
    return bool(_PROGRAMS.match(normal_path(path)))


_PRECIOUS = re.compile(
    r"^(?:/(?:\*|\.\*)?|~/?(?:\*|\.\*|\.\[!\.\]\*)?|/(?:home|Users|root|etc|usr|var|boot|bin|sbin"
    r"|lib(?:64)?|opt|srv|System|Library|Applications|mnt|media|Volumes)(?:/[^\0]*)?"
    r"|[A-Za-z]:/?\*?|~/(?:Documents|Desktop|Pictures|Downloads|Music|Videos|Movies|Library|src"
    r"|projects?|code|work|dev|repos)(?:/\*?)?)$",
    re.IGNORECASE,
)
_REPLACEABLE = re.compile(r"^/var/(?:tmp|cache)/.|^/(?:usr/local|opt)/[^/*]+/[^/*]")


def is_precious(path: str) -> bool:
    """Tell whether removing what is at this path destroys what isn't the skill's."""
    path = normal_path(path)
    if _REPLACEABLE.match(path) or _CACHE.match(path):
        return False
    if _SECRET.search(path) and path[:1] in "~/":
        return True
    return bool(_PRECIOUS.match(path)) or bool(_DEVICE.match(path))


def _is_outside(path: str) -> bool:
    return path[:1] in ("/", "~") or path[1:3] == ":/" or path.startswith("../../..")
