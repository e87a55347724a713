#!/bin/sh
# Have .venv with the locked dependencies. Says nothing and costs nothing when it is there already.
#
#   deploy/bootstrap.sh local    what running needs
#   deploy/bootstrap.sh dev      and what testing and checking need
set -eu
cd "$(dirname "$0")/.."
# Standard output belongs to the command that is run afterwards: make token.
exec >&2

wanted=${1:-dev}
venv=.venv
python=$venv/bin/python

stamp_of() { echo "$venv/.ready-$1-$(cksum <"requirements/$1.txt" | tr ' ' '-')"; }

trouble() {
    printf '\n%s\n  -> %s\n' "$1" "$2" >&2
    exit 1
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
        if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    found=$(python3 -V 2>&1) || found="no python3"
    trouble "Bailiwick needs Python 3.11 or newer; here is $found." \
        "Install one (apt-get install python3 python3-venv on Debian 12 or newer), or name it: make PYTHON=/path/to/python3.13 ..."
}

make_venv() {
    # A clone that was moved, a Python that was removed, a making that was killed: start afresh.
    if is_new_enough "$python" && "$python" -m pip --version >/dev/null 2>&1; then return; fi
    base=$(find_python)
    echo "Creating $venv with $("$base" -V) ..."
    rm -rf "$venv"
    if "$base" -c 'import ensurepip, venv' 2>/dev/null; then
        "$base" -m venv "$venv"
    elif command -v virtualenv >/dev/null; then
        virtualenv --quiet --python "$base" "$venv"
    else
        package=$("$base" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')
        trouble "$base cannot make virtual environments (no ensurepip, no virtualenv)." "apt-get install $package"
    fi
}

install() {
    stamp=$(stamp_of "$1")
    if [ -e "$stamp" ]; then return; fi
    total=$(grep -c '^[a-zA-Z0-9].*==' "requirements/$1.txt")
    echo "Installing the $total packages of requirements/$1.txt ..."
    # The exit status of pip would be lost in a plain pipe.
    {
        status=0
        "$python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
            --require-hashes -r "requirements/$1.txt" || status=$?
        echo "$status" >"$venv/.pip-status"
    } | awk -v total="$total" '/^(Collecting|Requirement already)/ { if (++n % 20 == 0) print "  " n " of " total; fflush() }'
    if [ "$(cat "$venv/.pip-status")" != 0 ]; then
        trouble "pip could not install requirements/$1.txt (its words are above)." \
            "Check the network and pip's own configuration, then run again."
    fi
    rm -f "$venv"/.ready-"$1"-*
    touch "$stamp"
}

has_java() {
    "${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | grep -Eq 'version "(1[7-9]|[2-9][0-9])'
}

needs_java() { [ -z "${KAFKA_BOOTSTRAP_SERVERS:-}" ] && ! has_java; }

if [ ! -e "$(stamp_of "$wanted")" ] || ! is_new_enough "$python"; then
    make_venv
    install "$wanted"
fi
# The broker's Java as a wheel, for machines that have none.
if needs_java; then install java; fi
