/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/judge.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "discovery-kubernetes/condition.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* The kubelet tries again about 10 s after the first failure: a hiccup may heal. */
#define START_GRACE_NS (15 * CLOCK_S)
/* Another pod may give back what this one needs. */
#define SCHEDULE_GRACE_NS (30 * CLOCK_S)

#define WHAT_BYTES   80
#define HEAD_BYTES   72
#define TAIL_BYTES   128
#define DETAIL_BYTES (HEAD_BYTES + TAIL_BYTES)

/* What the kubelet gives as the reason why a container waits. Others are steps on the way. */
static const struct {
    const char *reason;
    enum pod_state state;
    bool vague; /* its message names no cause where an earlier one did */
    const char *text;
} waits[] = {
    {"ErrImagePull", POD_TROUBLED, false, "image cannot be pulled"},
    {"ImagePullBackOff", POD_TROUBLED, true, "image cannot be pulled"},
    {"RegistryUnavailable", POD_TROUBLED, false, "image cannot be pulled"},
    {"ImageInspectError", POD_TROUBLED, false, "image cannot be inspected"},
    {"CreateContainerConfigError", POD_TROUBLED, false, "CreateContainerConfigError"},
    {"CreateContainerError", POD_TROUBLED, false, "CreateContainerError"},
    {"ErrImageNeverPull", POD_FAILED, false, "image is not on the node, and never pulled"},
    {"InvalidImageName", POD_FAILED, false, "image name is not valid"},
    {"RunContainerError", POD_FAILED, false, "RunContainerError"},
    {"CrashLoopBackOff", POD_FAILED, false, "CrashLoopBackOff"},
};

/* Texts of the API name the thing first and the cause last: long ones lose their middle. */
static char *shorten(char out[static DETAIL_BYTES], const char *text)
{
    char head[HEAD_BYTES], tail[TAIL_BYTES];
    size_t len = strlen(text);
    const char *end;

    if (len < DETAIL_BYTES)
        return text_clean(out, DETAIL_BYTES, text);
    end = text + len - TAIL_BYTES + 1;
    while (((unsigned char)*end & 0xC0) == 0x80) /* not within a character */
        end++;
    snprintf(out, DETAIL_BYTES, "%s%s", text_clean(head, sizeof head, text),
             text_clean(tail, sizeof tail, end));
    return out;
}

/* Fills the verdict: "what", or "what: detail" where the API gave one. */
static void set(struct pod_verdict *ret, enum pod_state state, const char *what, const char *detail)
{
    char head[WHAT_BYTES], tail[DETAIL_BYTES];

    *ret = (struct pod_verdict){.state = state};
    text_clean(head, sizeof head, what);
    if (text_empty(detail))
        snprintf(ret->reason, sizeof ret->reason, "%s", head);
    else
        snprintf(ret->reason, sizeof ret->reason, "%s: %s", head, shorten(tail, detail));
}

static void set_trouble(struct pod_verdict *ret, int64_t grace_ns, const char *trouble,
                        const char *detail)
{
    set(ret, POD_TROUBLED, trouble, detail);
    ret->trouble = trouble;
    ret->grace_ns = grace_ns;
}

static void set_terminated(struct pod_verdict *ret, const json_t *terminated)
{
    const char *reason = jsonx_string(terminated, "reason");
    char what[WHAT_BYTES];

    snprintf(what, sizeof what, "container ended with exit code %d (%.20s)",
             (int)jsonx_int(terminated, "exitCode", -1), reason ? reason : "no reason given");
    set(ret, POD_FAILED, what, jsonx_string(terminated, "message"));
}

static void judge_waiting(const json_t *status, const json_t *waiting, struct pod_verdict *ret)
{
    const json_t *ended = jsonx_object(status, "lastState.terminated");
    const char *message = jsonx_string(waiting, "message");
    const char *reason = jsonx_string(waiting, "reason");
    size_t i = 0;

    while (i < ELEMENTS(waits) && !text_equal(reason, waits[i].reason))
        i++;
    if (i == ELEMENTS(waits)) {
        set(ret, POD_WAITING, reason ? reason : "container waits", message);
    } else if (waits[i].state == POD_TROUBLED) {
        set_trouble(ret, START_GRACE_NS, waits[i].text, message);
        ret->vague = waits[i].vague;
    } else if (ended) {
        set_terminated(ret, ended);
    } else {
        set(ret, POD_FAILED, waits[i].text, message);
    }
}

/*
 * One container's status. An init container is meant to end well; a container that ended never
 * becomes ready again, for even where it is started anew the CAS in it does not stay.
 */
static void judge_container(const json_t *status, bool init, struct pod_verdict *ret)
{
    const json_t *waiting = jsonx_object(status, "state.waiting");
    const json_t *terminated = jsonx_object(status, "state.terminated");

    if (waiting)
        judge_waiting(status, waiting, ret);
    else if (terminated && !(init && jsonx_int(terminated, "exitCode", -1) == 0))
        set_terminated(ret, terminated);
    else if (jsonx_object(status, "state.running") && !init)
        set(ret, POD_WAITING, "runs, but is not ready yet", NULL);
}

/* The worst state of the containers counts. */
static void judge_containers(const json_t *pod, struct pod_verdict *ret)
{
    static const char *const lists[] = {"status.initContainerStatuses", "status.containerStatuses"};

    for (size_t list = 0; list < ELEMENTS(lists); list++) {
        const json_t *status;
        size_t i;

        json_array_foreach (jsonx_array(pod, lists[list]), i, status) {
            struct pod_verdict one = {.state = POD_WAITING};

            judge_container(status, list == 0, &one);
            if (one.state > ret->state || (one.state == ret->state && *one.reason))
                *ret = one;
        }
    }
}

static bool is_unschedulable(const json_t *scheduled)
{
    return text_equal(jsonx_string(scheduled, "status"), "False") &&
           text_equal(jsonx_string(scheduled, "reason"), "Unschedulable");
}

static bool is_over(const char *phase)
{
    return text_equal(phase, "Failed") || text_equal(phase, "Succeeded") ||
           text_equal(phase, "Unknown");
}

/* Eviction, admission by the kubelet and deadlines have a reason; else a container tells more. */
static void judge_over(const json_t *pod, const char *phase, struct pod_verdict *ret)
{
    const char *reason = jsonx_string(pod, "status.reason");
    const char *message = jsonx_string(pod, "status.message");

    judge_containers(pod, ret);
    if (reason || ret->state != POD_FAILED)
        set(ret, POD_FAILED, reason ? reason : "phase", message ? message : phase);
    /* the kubelet knew of a device whose plugin was not back yet, as after a reboot */
    ret->again = text_equal(reason, "UnexpectedAdmissionError");
}

/* What is no address could be anything: a name that leads elsewhere, an option of the CLI. */
static void judge_ready(const json_t *pod, const char *ip, struct pod_verdict *ret)
{
    const char *node = jsonx_string(pod, "spec.nodeName");
    struct in6_addr address;

    if (text_empty(ip)) {
        set(ret, POD_WAITING, "is Ready, but has no address yet", NULL);
        return;
    }
    if (inet_pton(AF_INET, ip, &address) != 1 && inet_pton(AF_INET6, ip, &address) != 1) {
        set(ret, POD_FAILED, "its address is no IP address", ip);
        return;
    }
    set(ret, POD_READY, "ready", NULL);
    snprintf(ret->ip, sizeof ret->ip, "%s", ip);
    snprintf(ret->node, sizeof ret->node, "%s", node ? node : "");
}

/* Who deletes a pod for the cluster's sake says so, as eviction, preemption and taints do. */
static void judge_deleted(const json_t *pod, struct pod_verdict *ret)
{
    const json_t *why = condition_find(pod, "DisruptionTarget");
    const char *reason = jsonx_string(why, "reason");
    char what[WHAT_BYTES];

    if (!condition_is_true(pod, "DisruptionTarget") || text_empty(reason)) {
        set(ret, POD_FAILED, "deleted by somebody else", NULL);
        return;
    }
    snprintf(what, sizeof what, "deleted (%.60s)", reason);
    set(ret, POD_FAILED, what, jsonx_string(why, "message"));
}

void pod_judge(const json_t *pod, bool host_ip, struct pod_verdict *ret)
{
    const char *ip = jsonx_string(pod, host_ip ? "status.hostIP" : "status.podIP");
    const char *phase = jsonx_string(pod, "status.phase");
    const json_t *scheduled = condition_find(pod, "PodScheduled");
    bool placed = condition_is_true(pod, "PodScheduled");

    set(ret, POD_WAITING, placed ? "waits for the kubelet" : "waits for the scheduler", NULL);
    if (jsonx_string(pod, "metadata.deletionTimestamp"))
        judge_deleted(pod, ret);
    else if (is_over(phase))
        judge_over(pod, phase, ret);
    else if (is_unschedulable(scheduled))
        set_trouble(ret, SCHEDULE_GRACE_NS, "unschedulable", jsonx_string(scheduled, "message"));
    else if (condition_is_true(pod, "Ready"))
        judge_ready(pod, ip, ret);
    else
        judge_containers(pod, ret);
}

void pod_verdict_follow(struct pod_verdict *verdict, const struct pod_verdict *next, int64_t now_ns)
{
    bool same = next->state == POD_TROUBLED && verdict->state == POD_TROUBLED &&
                strcmp(next->trouble, verdict->trouble) == 0;
    int64_t since_ns = same ? verdict->since_ns : now_ns;

    if (!same || !next->vague)
        *verdict = *next;
    verdict->since_ns = since_ns;
}
