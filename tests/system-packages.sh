#!/bin/sh
# Installs the Debian packages that the tests use (with `bench`: and the benches) and that are missing; does nothing where all are there.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
missing=""
need() { # need PROGRAM PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need ssh-keygen openssh-client
need curl curl
need sshpass sshpass
[ -x /usr/sbin/sshd ] || missing="$missing openssh-server"
need ps procps
need git git
need msgfmt gettext
need nft nftables
need ip iproute2
need unshare util-linux
need fusermount3 fuse3
need s3fs s3fs
need capsh libcap2-bin
need useradd passwd
need faketime faketime
need systemd-analyze systemd
need podman podman
need runc runc # where control groups are half old, half new, podman's usual runtime refuses
need debootstrap debootstrap
need eatmydata eatmydata
# An identity provider of its own kind (Perl; lasso for SAML), with an SQLite file of people, under a small web server.
perl_has() { # perl_has MODULE PACKAGE
    perl -e "exit !grep { -e \"\$_/$1\" } @INC" 2>/dev/null || missing="$missing $2"
}
perl_has Lemonldap/NG/Portal.pm liblemonldap-ng-portal-perl
perl_has Lasso.pm liblasso-perl
perl_has DBD/SQLite.pm libdbd-sqlite3-perl
perl_has String/Random.pm libstring-random-perl
perl_has IO/String.pm libio-string-perl
perl_has XML/Simple.pm libxml-simple-perl
perl_has Crypt/OpenSSL/Bignum.pm libcrypt-openssl-bignum-perl
need plackup libplack-perl
[ -x /usr/bin/chromium ] || missing="$missing chromium"
[ -d /usr/share/fonts/truetype/dejavu ] || missing="$missing fonts-dejavu-core" # for the words on the pages
command -v pg_ctl >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || missing="$missing postgresql"
# Only measured, beside the AWS CLI of the tests: the second version, which can use the common runtime (CRT).
[ "${1:-}" != bench ] || [ -x /usr/bin/aws ] || missing="$missing awscli"
# Servers mount as root of their own user namespace: like udev does on most machines, let everybody use FUSE.
open_fuse() { [ ! -c /dev/fuse ] || [ "$(stat -c %a /dev/fuse)" = 666 ] || $as_root chmod 666 /dev/fuse; }
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"
if [ -z "$missing" ]; then
    open_fuse
    exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests need these programs, under Debian's package names:$missing. Install them and try again." >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "The tests need:$missing. As root: apt-get install$missing" >&2
        exit 1
    fi
fi
echo "Installing for the tests:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086 a list of words
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
open_fuse
