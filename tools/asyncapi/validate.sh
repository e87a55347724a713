#!/bin/sh
# Have the official AsyncAPI command line look at docs/api/asyncapi. Documents it has passed are not looked at again.
set -eu
cd "$(dirname "$0")"
documents=../../docs/api/asyncapi

trouble() {
    printf '\n%s\n  -> %s\n' "$1" "$2" >&2
    exit 1
}

for program in node npm; do
    command -v "$program" >/dev/null ||
        trouble "The AsyncAPI documents are checked by @asyncapi/cli, which needs $program; it is not on this machine." \
            "Install Node 20 or newer with npm (apt-get install nodejs npm), then run again."
done

installed=node_modules/.ready-$(cksum <package-lock.json | tr ' ' '-')
if [ ! -e "$installed" ]; then
    echo "Installing @asyncapi/cli and what it needs (450 MB, once) ..." >&2
    # It asks for a newer Node than it needs to validate, and says so at length.
    npm ci --no-progress --loglevel=error >&2 ||
        trouble "npm could not install tools/asyncapi/package-lock.json (its words are above)." \
            "Check the network and npm's own configuration, then run again."
    touch "$installed"
fi

# The command line reports its use to its makers unless told not to.
export ASYNCAPI_METRICS_CONFIG_PATH=metrics.json SUPPRESS_NO_CONFIG_WARNING=1
for document in "$documents"/*.yaml; do
    passed=node_modules/.passed-$(cat "$document" package-lock.json | cksum | tr ' ' '-')
    if [ -e "$passed" ]; then continue; fi
    told=$(node_modules/.bin/asyncapi validate "$document" --fail-severity=error 2>&1) ||
        trouble "$told" "Mend shared/contracts/asyncapi.py, then make docs."
    touch "$passed"
done
