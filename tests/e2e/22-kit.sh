#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/kit, with our own stand-ins at both ends: what is recorded, what it implies, and that it plays.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh" || exit 1

record=$builddir/tests/kit/record
cas=$builddir/tests/sandbox/cas
scone=$builddir/tests/sandbox/scone
[ -x "$record" ] || { echo "1..0 # SKIP the kit is not built"; exit 0; }
export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work SCONE_CLI_RETRIES=1
mkdir -m 0700 "$TMPDIR"
pids=()
stop_all() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
    pids=()
}
trap 'stop_all; rm -rf "$work"' EXIT

start_cas() { # ARGUMENT...: its port is in $port
    exec {out}< <(exec "$cas" --listen 127.0.0.1:0 "$@" 2>>"$work/cas.err")
    pids+=("$!")
    read -r _ _ _ port <&"$out"
    exec {out}<&-
}

# conversation STATUS NAME [CLI-OPTION...]: a throw-away pair as primary_args and backup_args say, the
# recorder between it and the CLI, and one registration. What is recorded is in $tape.
conversation() {
    local status=$1 name=$2
    shift 2
    tape=$work/tape
    rm -rf "$tape" "$work/registered"
    start_cas --primary "$work/owner" --registered "$work/registered" "${primary_args[@]}"
    start_cas --backup "${backup_args[@]}"
    mkfifo "$work/said"
    "$record" --config "$work/owner/config.json" --backup "127.0.0.1:$port" --out "$tape" \
        >"$work/said" 2>"$work/err" &
    recorder=$!
    exec 3<"$work/said"
    rm "$work/said"
    read -r config _ _ _ address <&3
    env "$config" "$scone" cas register-backup "$@" "$address" >"$work/out" 2>>"$work/err"
    got=$?
    kill "$recorder"
    cat <&3 >"$work/implied"
    exec 3<&-
    wait "$recorder" || got="$got, and the recorder failed"
    [ "$got" = "$status" ]
    ok $? "$name"
    stop_all
    primary_args=() backup_args=()
}
primary_args=() backup_args=()

is() {
    "${@:1:$#-1}"
    ok $? "${*: -1}"
}
tape_has() { # TEXT NAME
    grep -qF -- "$1" "$tape/recording.json"
    ok $? "$2"
}
implies() { # LINE NAME
    grep -qxF -- "$1" "$tape/settings.yaml"
    ok $? "$2"
}
replays() { # STATUS NAME
    "$srcdir/tests/kit/replay" "$tape" >"$work/out" 2>"$work/err"
    got=$?
    [ "$got" = "$1" ]
    ok $? "$2"
}

# ---- a CAS as assumed

conversation 0 'the CLI registers through the recorder' -G
is grep -q . "$work/registered" 'and the primary knows the backup'
is [ "$(stat -c %a "$tape")" = 700 ] 'the folder with the configuration for the CLI is private'
tape_has '"path": "/v1/backup/certificate"' 'the recording has how the certificate is fetched'
tape_has '"path": "/v1/backups"' 'and how it is handed over'
tape_has '"cas": "5.8.0-sandbox"' 'and the version of the primary'
is [ "$(grep -c '"client_certificate": true' "$tape/recording.json")" = 1 ] \
    'and that only the primary is shown a client certificate'
implies '  certificate_path: "/v1/backup/certificate"' 'it implies the path of the certificate'
implies '  certificate_key: "certificate"' 'its key'
implies '  certificate_form: "pem"' 'its form'
implies '  register_path: "/v1/backups"' 'the path of the registration'
implies '  register_body: {"certificate": "{certificate}", "tolerate": "{tolerate}"}' 'its body'
implies '  tolerate: ["group-out-of-date"]' 'its tolerances'
implies '  verified_with: "5.8.0-sandbox"' 'and the version that it is good for'
is [ "$(sed '/^primary: /d; /^backup: /d' "$work/implied")" = "$(cat "$tape/settings.yaml")" ] 'as is printed'
is [ "$(grep -c '^#' "$tape/settings.yaml")" = 0 ] 'with nothing left to be checked'

key=$(sed -n 's/.*BEGIN PRIVATE KEY-----\\n\([A-Za-z0-9+/]*\).*/\1/p' "$work/owner/config.json")
seed=$(sed -n 's/.*_seed": "\([0-9a-f]*\).*/\1/p' "$work/owner/config.json")
[ ${#key} -ge 60 ] && [ ${#seed} = 64 ] &&
    ! grep -rqF -e "${key:8:40}" -e "${seed:4:12}" -e 'PRIVATE KEY' \
        "$tape/recording.json" "$tape/settings.yaml" "$work/implied"
ok $? 'no secret of the owner is in it'

replays 0 'the plugin registers with what was recorded'
sed -i 's|"/v1/backups"|"/v1/other"|' "$tape/settings.yaml"
replays 4 'and not with another path'
is grep -q '404: The recording has no such request: /v1/other' "$work/out" 'which the stand-in says'

# ---- a CAS of another kind

secret=3f786850e387550fdab836ed7e6dc881de23001b
primary_args=(--form v2 --yes "201:{\"access_token\":\"$secret\",\"db_key\":[1,2,3],\"again\":{\"token\":\"$secret\"}}")
backup_args=(--form v2)
conversation 0 'the CLI registers a backup whose certificate is no PEM'
! grep -q "$secret" "$tape/recording.json"
ok $? 'a token is taken out'
is [ "$(grep -c '"(taken out 1)"' "$tape/recording.json")" = 2 ] 'and is the same wherever it stood'
tape_has '"db_key": "(taken out 2)"' 'and so is a key'
implies '  certificate_form: "any"' 'any form is implied'
implies '# to be checked: the body shows no tolerances: register once more with -C, -G and -S' \
    'and what one registration does not tell is said'
replays 0 'the plugin registers with that, too'
sed -i '/certificate_form/d' "$tape/settings.yaml"
replays 4 'and not without that form'

# ---- a registration that is no registration

primary_args=(--yes '202:{"msg":["later"]}')
conversation 1 'the CLI is told later'
is grep -q '^# cas-api cannot do this: cas-api takes this answer for a no: .*status 202' \
    "$tape/settings.yaml" 'which cas-api takes for a no'
primary_args=(--refuse 'the database is read-only')
conversation 1 'the CLI is refused'
is grep -q 'the database is read-only' "$work/err" 'and hears why'
tape_has 'the database is read-only' 'and the recording has it'
backup_args=(--cut)
conversation 1 'the CLI gets nothing from the backup'
tape_has '"The recorder gets no answer"' 'and the recording says so'
is grep -q 'nothing that a backup CAS answered was handed to the primary' "$tape/settings.yaml" \
    'and what is missing'
finish
