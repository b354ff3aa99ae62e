#!/bin/sh
# Builds stand-ins for the official images from the distribution's packages, where no image registry can be reached.
# Prints the variables that make octo_lab use them:  eval "$(compose/images/build.sh)"
# Needs root, debootstrap and a Docker engine. What is there already is kept; `--again` builds all of it anew.
set -eu

suite=trixie
base=octo_lab/debian:$suite
here=$(cd "$(dirname "$0")" && pwd)

say() { echo "$@" >&2; }
have() { [ "${again:-}" != --again ] && docker image inspect "$1" >/dev/null 2>&1; }

again=${1:-}
command -v docker >/dev/null || { say "There is no docker command. Install Docker (on Debian: apt install docker.io)."; exit 3; }
docker info >/dev/null 2>&1 || { say "No Docker engine answers. Start it (systemctl start docker, or dockerd) and run this again."; exit 3; }

if ! have $base; then
  command -v debootstrap >/dev/null || { say "There is no debootstrap. Install it: apt install debootstrap"; exit 3; }
  [ "$(id -u)" = 0 ] || { say "debootstrap needs root: run this with sudo."; exit 3; }
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  say "A Debian $suite of its packages ..."
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | head -n 1)
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" ${mirror:+"$mirror"} >&2
  # A mirror may have a certificate of its own: what this machine trusts, the image trusts.
  [ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar -C "$root" -c . | docker import - $base >&2
fi

for name in postgres redis python node; do
  tag=octo_lab/stand-in-$name:$suite
  if ! have "$tag"; then
    say "$tag ..."
    docker build --build-arg BASE=$base --tag "$tag" - <"$here/$name.Dockerfile" >&2
  fi
  echo "export OCTO_LAB_$(echo $name | tr '[:lower:]' '[:upper:]')_IMAGE=$tag"
done
