# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Passes in which one allocation or system call fails, or all from one on: an error may come of it,
# but no crash, no hang, no exit status 0 without the work done, and nothing that the next pass does
# not put right. $FAULTS says how many are tried (CI: a sample, evenly spaced), SIDE_BY_SIDE in how
# many sandboxes. A caller has functions: begin (in a folder of its own, $work), again (as before
# each fault), faulty_pass COMMAND... (the pass, with what to put before it), and wrong STATUS, which
# prints what is wrong after it and after the pass that follows.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh" || exit 1

faults=${FAULTS:-24}
lanes=${SIDE_BY_SIDE:-6}
failing=$builddir/tests/sandbox/.libs/failing.so
main_work=$work
unset CAS_BACKUP_FILE SCONE_CAS_ADDR SCONE_CLI_CONFIG BACKUP_CAS_NAME STATE_DIRECTORY KUBECONFIG

# Both bring allocators of their own.
case "${PROGRAM_WRAPPER-} ${compile_flags-}" in
' '*-fsanitize=* | [!\ ]*)
    echo "1..0 # SKIP nothing can be preloaded"
    exit 0
    ;;
esac

# with FAULT: a pass with it; its exit status is in $status, 124 where it hangs.
with() {
    rm -f "$work/fault"
    faulty_pass timeout -k 5 60 env LD_PRELOAD="$failing" FAILING="$1" FAILING_LOG="$work/fault" \
        >"$work/log.out" 2>"$work/log.err"
    status=$?
}

# spaced NUMBER TOTAL FORMAT: so many numbers up to the total, evenly spaced, formatted.
spaced() {
    awk -v n="$1" -v total="$2" -v format="$3\n" 'BEGIN {
        if (n > total) n = total
        for (i = 0; i < n; i++) printf format, 1 + int((i + 0.5) * total / n)
    }'
}

# All faults, a line each; how much there is to fail was counted in a pass without any.
list_faults() {
    local memory call
    read -r _ memory _ call < <(tail -n 1 "$work/fault")
    spaced $(((faults * 6 + 9) / 10)) "$memory" 'memory %d'
    spaced $(((faults + 9) / 10)) "$memory" 'memory %d+'
    spaced $(((faults * 2 + 9) / 10)) "$call" 'call %d'
    spaced $(((faults + 9) / 10)) "$call" 'call %d+'
}

one_fault() { # FAULT
    again
    with "$1"
    case "$status $1" in
    [0134]' '* | '2 call'*) ;;
    124\ * | 137\ *) echo "it hangs" ;;
    *) echo "exit status $status" ;;
    esac
    wrong "$status"
}

lane() { # NUMBER
    work=$main_work/$1
    mkdir -p "$work/tmp"
    chmod 0700 "$work/tmp"
    export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
    begin
    again
    with none
    [ "$status" = 0 ] || { cat "$work/log.err" && return; }
    list_faults >"$work/all"
    awk -v lane="$1" -v lanes="$lanes" 'NR % lanes == lane - 1' "$work/all" >"$work/faults"
    wc -l <"$work/all" >>"$main_work/listed"
    while read -r fault; do
        one_fault "$fault" >"$work/is-wrong" 2>&1 </dev/null
        echo "$fault" >>"$main_work/tried"
        [ -s "$work/is-wrong" ] || continue
        echo "$fault:"
        sed 's/^/    /' "$work/is-wrong"
        head -n 25 "$work/log.err" "$work/log.next" "$work/fault"
    done <"$work/faults"
}

# sweep NAME: tries them all, and tests that nothing is wrong.
sweep() {
    for ((l = 1; l <= lanes; l++)); do
        (lane $l) >"$main_work/lane-$l" 2>&1 &
    done
    wait
    cat "$main_work"/lane-* >"$main_work/out"
    [ ! -s "$main_work/out" ]
    ok $? "$1"
    [ "$(wc -l <"$main_work/tried")" -ge "$(sort -n "$main_work/listed" | head -n 1)" ]
    ok $? "$(wc -l <"$main_work/tried") were tried"
}
