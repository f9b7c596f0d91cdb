#!/bin/sh
# What runs in a created server: the way out, the agent, and sshd, each again when it ends, under tini as process 1.
set -eu
umask 022
host=/run/strongroom/host
state=/var/lib/strongroom

prepare() {
    ip link set lo up
    for address in 169.254.169.254/32 ${STRONGROOM_ADDRESSES:-}; do
        ip address replace "$address" dev lo scope host
    done
    install -d -m 0755 /run/sshd /run/strongroom
    install -m 0755 "$host/strongroom.pyz" /usr/local/bin/strongroom
    chmod 0700 "$state"
    [ -s "$state/ssh_host_ed25519_key" ] || ssh-keygen -q -t ed25519 -N '' -C '' -f "$state/ssh_host_ed25519_key"
    if [ ! -s /etc/strongroom/agent.json ]; then
        echo '{"users": [], "groups": ["strongroom"], "ssh": "only"}' >/etc/strongroom/agent.json
    fi
    if [ -s "$host/ca.pem" ]; then
        install -m 0644 "$host/ca.pem" /usr/local/share/ca-certificates/strongroom.crt
        update-ca-certificates >/dev/null
    fi
}

keep() { # keep PROGRAM ARGUMENT...: run it for ever
    while :; do
        "$@" || echo "$1 ended with $?" >&2
        sleep 1
    done
}

agent() {
    pause=1
    until [ -s "$state/identity.json" ]; do
        if ! strongroom join "$(cat "$host/join.url")" --group strongroom <"$host/join.token"; then
            sleep $pause
            [ $pause -ge 30 ] || pause=$((pause * 2))
        fi
    done
    keep strongroom run
}

# Nobody is let in before the agent has said who may come.
logins() {
    until [ -s /etc/ssh/sshd_config.d/00-strongroom.conf ]; do sleep 0.5; done
    keep /usr/sbin/sshd -D -e
}

# Everybody gets the time to write what they hold: a mount is no use to process 1.
stop() {
    trap '' TERM
    kill -TERM -1 || true
    for _ in $(seq 80); do
        [ "$(pgrep -c -v -f '^/usr/bin/tini|/usr/lib/strongroom/start|^pgrep')" -gt 0 ] || break
        sleep 0.1
    done
    exit 0
}

if [ "${1:-}" != keep ]; then
    prepare
    # What only the lines above need is given up for good, by everything that ever runs here.
    exec setpriv --bounding-set=-net_admin,-setpcap -- /usr/bin/tini -- "$0" keep
fi
trap stop TERM INT
keep strongroom relay "$host/relay.json" &
agent &
logins &
while :; do wait || true; done
