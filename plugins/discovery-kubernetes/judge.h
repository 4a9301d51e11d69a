/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod's status means for somebody who waits for it. Pure and thread-safe. */
#ifndef DISCOVERY_KUBERNETES_JUDGE_H
#define DISCOVERY_KUBERNETES_JUDGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum pod_state {
    POD_WAITING,  /* on its way */
    POD_TROUBLED, /* may heal, but is a failure once it has lasted for grace_ns */
    POD_FAILED,   /* will not become Ready any more */
    POD_READY,
};

struct pod_verdict {
    enum pod_state state;
    const char *trouble; /* POD_TROUBLED: which, static */
    bool vague;          /* POD_TROUBLED: an earlier reason of the same trouble says more */
    int64_t grace_ns;    /* POD_TROUBLED */
    bool again;          /* POD_FAILED: a new pod may fare better at once */
    int64_t since_ns;    /* when that state or trouble began; pod_judge() leaves 0 */
    char ip[64];         /* POD_READY: where it can be reached, an IP address */
    char node[256];      /* POD_READY: where it runs; "": not known */
    char reason[320];    /* the state in words for people, one clean line */
};

/*
 * Judges a Pod object. `host_ip` asks for the node's address in place of the pod's. Ready is:
 * condition Ready, an address, not being deleted, and a phase that goes on.
 */
void pod_judge(const json_t *pod, bool host_ip, struct pod_verdict *ret);

/*
 * Follows *verdict, the last judgement, with `next`, made at now_ns (CLOCK_MONOTONIC). The same
 * trouble keeps its beginning, and its reason where the new one is vague ("Back-off pulling
 * image").
 */
void pod_verdict_follow(struct pod_verdict *verdict, const struct pod_verdict *next,
                        int64_t now_ns);

#endif
