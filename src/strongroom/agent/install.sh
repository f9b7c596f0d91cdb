#!/bin/sh
# Makes this machine a server of a Strongroom space: fetches the agent, checks it, joins, starts it at every boot.
#
#   (echo join_token=TOKEN; curl -fsSL URL/api/v1/agent/install.sh) | sudo sh -s -- --url URL --sha256 HASH [--user NAME]...
#
# The hash comes with the join command, from the steward's terminal: this script installs no other agent. That this is
# the script itself, the URL's https vouches for. Everything is in functions, so that a download that breaks off does
# nothing.
set -eu

LIBRARY=/usr/local/lib/strongroom
PROGRAM=/usr/local/bin/strongroom

fail() { # fail WHAT-IS-WRONG WAY-OUT
    printf 'install: %s\n         %s\n' "$1" "$2" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

find_python() {
    for each in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9; do
        if has "$each" && "$each" -I -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
            "$each" -I -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail "Python 3.9 or newer is missing." "Install it: apt-get install python3, or dnf install python3.11."
}

fetch() { # fetch URL FILE
    if has curl; then
        if [ -n "$ca_file" ]; then curl -fsSL --cacert "$ca_file" -o "$2" "$1"; else curl -fsSL -o "$2" "$1"; fi
    elif has wget; then
        if [ -n "$ca_file" ]; then wget -q --ca-certificate="$ca_file" -O "$2" "$1"; else wget -q -O "$2" "$1"; fi
    else
        fail "Neither curl nor wget is here." "Install one of them."
    fi || fail "$1 could not be fetched." "Check the network from this machine to the control plane, and try again."
}

check_hash() { # check_hash FILE
    found=$("$python" -I -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1")
    [ "$found" = "$sha256" ] || fail \
        "The agent that came has the SHA-256 $found, not $sha256 as the join command says: it was not installed." \
        "Get a new join command (Strongroom may have been updated). If it happens again, somebody stands between."
}

install_agent() { # install_agent FILE
    mkdir -p "$LIBRARY" "$(dirname "$PROGRAM")"
    chmod 0644 "$1"
    mv "$1" "$LIBRARY/strongroom.pyz"
    # A file of our own and a Python that is named: nobody's PATH or PYTHONPATH decides what runs as root.
    printf '#!/bin/sh\nexec %s -I -S %s "$@"\n' "$python" "$LIBRARY/strongroom.pyz" >"$PROGRAM.new"
    chmod 0755 "$PROGRAM.new"
    mv "$PROGRAM.new" "$PROGRAM"
}

main() {
    url='' token=${join_token:-} sha256='' ca_file='' again='' run=yes
    users=''
    while [ $# -gt 0 ]; do
        case $1 in
            --again) again=--again; shift; continue ;;
            --no-start) run=no; shift; continue ;;
        esac
        [ $# -ge 2 ] || fail "$1 needs a value." "Paste the join command as it was given."
        case $1 in
            --url) url=${2%/} ;;
            --token) token=$2 ;;
            --sha256) sha256=$2 ;;
            --ca-file) ca_file=$2 ;;
            --user | --group) users="$users $1 $2" ;;
            *) fail "$1 is not known." "Paste the join command as it was given." ;;
        esac
        shift 2
    done
    [ -n "$url" ] && [ -n "$token" ] && [ -n "$sha256" ] ||
        fail "--url, --sha256 and a token are needed." "Paste the join command as it was given."
    [ "$(id -u)" -eq 0 ] || fail "This needs root." "Run it with sudo."
    has ssh-keygen || fail "ssh-keygen is missing; the agent signs with it." \
        "Install it: apt-get install openssh-client, or dnf install openssh."
    python=$(find_python)

    umask 022
    folder=$(mktemp -d "${TMPDIR:-/tmp}/strongroom.XXXXXX")
    trap 'rm -rf "$folder"' EXIT
    fetch "$url/api/v1/agent/strongroom.pyz" "$folder/strongroom.pyz"
    check_hash "$folder/strongroom.pyz"
    install_agent "$folder/strongroom.pyz"

    # The token on standard input, where no list of processes shows it.
    # shellcheck disable=SC2086 local names hold no spaces
    printf '%s\n' "$token" | "$PROGRAM" join "$url" --token - $again ${ca_file:+--ca-file "$ca_file"} $users
    if [ "$run" = yes ]; then
        "$PROGRAM" install
    fi
}

main "$@"
