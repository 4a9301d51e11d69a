#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/security.md is true in every sentence: for each, the table below has the tests that say so, or
# the reason why there can be none. A sentence without a row is a fault, and so is a row without its
# sentence or its test.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

# How the sentence begins | the test's file or folder | its name, or words of it.
# How the sentence begins | - | why there is none.
cat >"$work/table" <<'TABLE'
`cas-backup` handles | - | says what the page is about
What it does | - | likewise
It is in the SCONE CLI's | tests/unit/registration-scone-cli | a_session_takes_exactly_three_arguments
It is in the SCONE CLI's | tests/e2e/20-registration.sh | SCONE_SANDBOX_OWNER_CONFIG=$owner/$config
Prefer a session | - | advice
In a cluster `cronjob/session` | tests/lab/cronjob.sh | cronjob/session gives a pass SGX and LAS, and takes the owner's key away
Without a session each call | tests/unit/base | a_copy_is_for_nobody_else
Without a session each call | tests/e2e/20-registration.sh | no secret is left behind by success, failure and timeout
The folder is in | tests/unit/base | a_full_place_is_passed_over
The folder is in | tests/unit/base | a_place_that_others_can_write_is_passed_over
What kill -9 leaves | tests/e2e/20-registration.sh | a killed pass leaves a key in
What kill -9 leaves | tests/e2e/34-secrets.sh | removes the copy of a killed pass
With the `cas-api` plugin | tests/e2e/36-freed-memory.sh | it is nowhere
The libraries that it passes through | tests/e2e/36-freed-memory.sh | it is nowhere
Later CLIs keep | tests/e2e/20-registration.sh | an old CLI with a newer configuration
All texts of that file | tests/unit/common/cas | what_is_secret_is_masked_and_nothing_else
What the CLI prints | tests/e2e/20-registration.sh | a CLI that quotes a part of the second secret
It is never in an argument | tests/e2e/34-secrets.sh | no secret in arguments, variables, log, output, report and state
It is never in an argument | tests/e2e/31-kill.sh | the owner's key
Core dumps are off | tests/e2e/13-process.sh | it leaves no core dump
Core dumps are off | tests/e2e/13-process.sh | nobody looks into its memory
The primary CAS: | tests/e2e/20-registration.sh | a primary under another chain
The primary CAS: | tests/e2e/20-registration.sh | a primary with another name
The primary CAS: | tests/unit/base | another_address_is_dialled_but_not_verified
The CLI, where it is used | - | the CLI's own behaviour, of which tests/sandbox/scone is a stand-in
The backup CAS: | - | that nothing of it is trusted shows in the next sentence
What it hands out | tests/e2e/20-registration.sh | a backup that answers wrong
What it hands out | tests/e2e/20-registration.sh | a refused TCB says which
The Kubernetes API: | tests/unit/base | untrusted_certificates_are_denied_with_the_reason
The Kubernetes API: | tests/unit/base | insecure_accepts_any_certificate
The Kubernetes API: | tests/unit/data/kubeconfig/insecure_is_taken | insecure
TLS 1.2 or newer | tests/unit/base | old_tls_is_refused
No credential of the API | tests/unit/base | credentials_never_go_over_plain_http
No credential of the API | tests/unit/data/kubeconfig/plain_http_gets_no_credential | http
Nobody to be brief: | tests/unit/base | an_endless_answer_ends_at_a_limit
Nobody to be brief: | tests/unit/base | an_endless_header_is_invalid
Nobody to be brief: | tests/unit/common/kube | a_page_has_limits
Nobody to be brief: | tests/unit/common/kube | an_item_that_no_object_can_be_is_an_error
Nobody to be brief: | tests/e2e/20-registration.sh | for fault in garbage endless truncate cut
Compressed answers | tests/unit/base | an_answer_is_not_unpacked
A Pushgateway: | tests/unit/data/settings/metrics-push-password-in-clear | a URL with https where it has a user or a password
Metrics hold names, | tests/unit/report | everything_has_its_name
Metrics hold names, | tests/e2e/50-metrics.sh | and no secret
Plugins: | tests/unit/plugin | what_others_could_have_written_is_refused
Plugins: | tests/e2e/10-usage.sh | a folder that others can write is refused
By the same rule: | tests/e2e/37-trust.sh | refused static 2 settings 0
By the same rule: | tests/e2e/37-trust.sh | refused static 3 hosts 0
By the same rule: | tests/e2e/37-trust.sh | refused static 2 config 0
By the same rule: | tests/e2e/37-trust.sh | refused static 1 program 0
By the same rule: | tests/e2e/37-trust.sh | refused static 1 spawn 0
By the same rule: | tests/e2e/37-trust.sh | refused cluster 3 kubeconfig 3
By the same rule: | tests/e2e/37-trust.sh | refused cluster 3 exec 3
A sticky folder | tests/e2e/37-trust.sh | in a sticky folder it is used
A sticky folder | tests/e2e/37-trust.sh | a folder with mode 2777 is used where it is mounted read-only
That everybody can read | tests/e2e/37-trust.sh | a configuration that everybody can read is used
What whoever starts the tool | tests/e2e/37-trust.sh | settings of a command are used
Text from outside | tests/e2e/46-outside-text.sh | a node, a kubelet, the API server, the CLI
Text from outside | tests/e2e/44-nodes.sh | the last words of a failed one are shown
Text from outside | tests/unit/report | the_worst_node_is_named_with_its_reason
Text from outside | tests/unit/base | long_text_is_cut_at_a_character
User and password of a URL | tests/unit/base | credentials_are_overwritten_and_the_rest_stays
User and password of a URL | tests/e2e/43-faults.sh | a server that echoes our credentials
User and password of a URL | tests/unit/base | credentials_are_overwritten_and_the_rest_stays
No shell, | tests/tool/calls.sh | there is no shell, and no other way to one
No shell, | tests/unit/base | only_the_standard_descriptors_are_open
No shell, | tests/unit/base | the_session_has_no_terminal
No shell, | tests/unit/base | signals_start_fresh
At the deadline, | tests/unit/base | cancelling_ends_the_group
At the deadline, | tests/unit/base | one_that_ignores_sigterm_is_killed
Output is bounded | tests/unit/base | long_output_is_cut_and_a_flood_is_ended
The SCONE CLI gets | tests/unit/registration-scone-cli | the_environment_is_what_the_call_needs_and_no_more
A kubeconfig's credential plugin | tests/unit/common/kube | a_plugin_gets_arguments_and_environment_without_a_shell
What it says on standard error | tests/unit/common/kube | what_a_plugin_says_goes_to_the_log
The commands of static hosts | tests/unit/discovery-static | commands_get_our_environment
So give the pass | - | advice
`cronjob/base` grants | tests/lab/cronjob.sh | every right that is granted is used
`cronjob/base` grants | tests/lab/cronjob.sh | no request was forbidden
Whoever may create pods | - | Kubernetes' own rule ("Good practices for Kubernetes Secrets")
Pods there must meet | cronjob/namespace/namespace.yaml | pod-security.kubernetes.io/enforce: baseline
Pods there must meet | tests/lab/cronjob.sh | cronjob/base is applied
`cronjob/network-policy` bounds | cronjob/network-policy/network-policy.yaml | policyTypes: [Ingress, Egress]
`cronjob/network-policy` bounds | - | enforcing it is the network's
Two instances have | tests/tool/kustomize.sh | two instances in one namespace have no object in common
Two instances have | tests/lab/instances.sh | the second is removed
`cronjob/events` grants | tests/lab/outcome.sh | with the components every right that is granted is used
`cronjob/events` grants | cronjob/events/rbac.yaml | verbs: [create]
What is quoted in one | tests/unit/discovery-kubernetes | a_note_is_cut_at_a_character
`cronjob/label` grants | tests/tool/kustomize.sh | the policy of cronjob/label is told the ServiceAccount
`cronjob/label` grants | cronjob/label/policy.yaml | cas-backup may change no other label of a node than its own
That policy needs | - | Kubernetes' own rule ("Validating Admission Policy")
Who else may set | - | Kubernetes' own rule; the primary asks LAS for its keys
Who can write its ConfigMaps | - | advice; that records are believed is what they are for
TABLE

# The page's sentences, a line each.
awk '
    function flush() {
        gsub(/[ \t]+/, " ", text)
        sub(/^ ?(- )?/, "", text)
        n = split(text, sentence, /[.] |[.]$/)
        for (i = 1; i <= n; i++)
            if (sentence[i] != "") print sentence[i]
        text = ""
    }
    /^#/ { next }
    /^- / || /^$/ { flush() }
    { text = text " " $0 }
    END { flush() }' "$srcdir/docs/security.md" >"$work/sentences"
[ "$(wc -l <"$work/sentences")" -gt 20 ]
ok $? 'the page has sentences'

while IFS= read -r sentence; do
    found=1
    : >"$work/err"
    while IFS='|' read -r begins file words; do
        begins=${begins% } file=${file# } words=${words# }
        case $sentence in "$begins"*) ;; *) continue ;; esac
        found=0
        echo "$begins" >>"$work/used"
        file=${file% }
        [ "$file" = - ] || grep -rqF -e "$words" "$srcdir/$file" || echo "$file has no '$words'" >>"$work/err"
    done <"$work/table"
    [ $found = 0 ] || echo 'this sentence has no row in tests/e2e/14-security-docs.sh' >"$work/err"
    [ ! -s "$work/err" ]
    ok $? "$sentence"
done <"$work/sentences"
cut -d '|' -f 1 "$work/table" | sed 's/ $//' | sort -u >"$work/rows"
sort -u "$work/used" | comm -13 - "$work/rows" >"$work/out"
[ ! -s "$work/out" ]
ok $? 'each row has its sentence'
finish
