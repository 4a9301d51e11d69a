/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/kube_kubelet.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "sandbox/kube_process.h"
#include "sandbox/kube_scheduler.h"

#include <err.h>
#include <string.h>

#define PROBE_NS  (50 * CLOCK_MS)
#define IDLE_NS   (3600 * CLOCK_S)
#define HOST_IP   "127.0.0.1"
#define HOSTS_MAX 200

/* A pod that is on a node. */
struct kubelet_run {
    struct kubelet_run *next;
    char key[STORE_KEY_BYTES], uid[40], ip[16];
    int64_t begun_ns;
    pid_t pid;          /* of its process; 0: none */
    int64_t stopped_ns; /* when the process was asked to end; 0: it was not */
    bool started, ready, over;
};

/* ---- the status of a pod */

static const json_t *first_container(const json_t *pod)
{
    return json_array_get(jsonx_array(pod, "spec.containers"), 0);
}

static void add_condition(json_t *conditions, const char *type, bool status)
{
    char now[CLOCK_RFC3339_BYTES];

    json_array_append_new(conditions, json_pack("{s:s, s:s, s:s}", "type", type, "status",
                                                status ? "True" : "False", "lastTransitionTime",
                                                clock_format(now, clock_wall_ms(), false)));
}

/*
 * `state` is what the first container does, taken over; the pod is Ready where the run is. `reason`
 * is the pod's own, or NULL.
 */
static void set_status(struct kubelet *kubelet, const struct kubelet_run *run, const char *phase,
                       const char *reason, json_t *state)
{
    bool ready = run->ready && strcmp(phase, "Running") == 0;
    json_t *pod = store_copy(kubelet->store, run->key), *status, *conditions = json_array();
    const json_t *container = first_container(pod);

    add_condition(conditions, "Initialized", true);
    add_condition(conditions, "Ready", ready);
    add_condition(conditions, "ContainersReady", ready);
    add_condition(conditions, "PodScheduled", true);
    status =
        json_pack("{s:s, s:s, s:s, s:[{s:s}], s:o, s:[{s:s, s:b, s:i, s:s, s:s, s:o}]}", "phase",
                  phase, "hostIP", HOST_IP, "podIP", run->ip, "podIPs", "ip", run->ip, "conditions",
                  conditions, "containerStatuses", "name", jsonx_string(container, "name"), "ready",
                  (int)ready, "restartCount", 0, "image", jsonx_string(container, "image"),
                  "containerID", run->uid, "state", state);
    if (reason)
        json_object_set_new(status, "reason", json_string(reason));
    json_object_set_new(pod, "status", status);
    store_put(kubelet->store, run->key, pod);
}

static json_t *running(void)
{
    char now[CLOCK_RFC3339_BYTES];

    return json_pack("{s:{s:s}}", "running", "startedAt",
                     clock_format(now, clock_wall_ms(), false));
}

static json_t *waiting(const char *reason, const char *message)
{
    return json_pack("{s:{s:s, s:s}}", "waiting", "reason", reason, "message", message);
}

/* One change of the status, as a kubelet makes it: who watches never sees half of it. */
static void fail(struct kubelet *kubelet, struct kubelet_run *run, const char *reason)
{
    json_t *state = json_pack("{s:{s:s, s:i}}", "terminated", "reason", "Error", "exitCode", 1);

    set_status(kubelet, run, "Failed", reason, state);
    run->over = true;
}

/* ---- the life of a pod */

static const char *behaviour(const struct kubelet *kubelet, const json_t *pod, const char *name)
{
    char key[STORE_KEY_BYTES];
    const json_t *node =
        store_get(kubelet->store, store_key(key, "nodes", "", jsonx_string(pod, "spec.nodeName")));

    return json_string_value(json_object_get(jsonx_object(node, "metadata.annotations"), name));
}

/* The first steps: what hinders a start, or the start. */
static void start(struct kubelet *kubelet, struct kubelet_run *run, const json_t *pod)
{
    const char *image = jsonx_string(first_container(pod), "image");
    const char *command = json_string_value(json_object_get(kubelet->images, image));
    const char *pull = behaviour(kubelet, pod, "sandbox/pull-error");
    const char *refuse = behaviour(kubelet, pod, "sandbox/refuse");

    run->started = true;
    if (pull) {
        run->over = true;
        set_status(kubelet, run, "Pending", NULL, waiting("ErrImagePull", pull));
    } else if (refuse) {
        fail(kubelet, run, refuse);
    } else {
        if (command)
            run->pid = process_start(command, run->ip);
        set_status(kubelet, run, "Running", NULL, running());
    }
}

static bool is_ready(const struct kubelet_run *run, const json_t *pod)
{
    int64_t port = jsonx_int(first_container(pod), "readinessProbe.tcpSocket.port", 0);

    return !run->pid || !port || process_listens(run->ip, (uint16_t)port);
}

/* Gives when to look again. */
static int64_t advance(struct kubelet *kubelet, struct kubelet_run *run, const json_t *pod)
{
    int64_t now_ns = clock_now_ns(), ready_ns = run->begun_ns + kubelet->ready_after_ns;
    int64_t seconds = jsonx_int(pod, "spec.activeDeadlineSeconds", 0);

    if (!run->started)
        start(kubelet, run, pod);
    if (run->over)
        return now_ns + IDLE_NS;
    if (run->pid && process_ended(run->pid)) {
        run->pid = 0;
        fail(kubelet, run, NULL);
    } else if (seconds && now_ns >= run->begun_ns + seconds * CLOCK_S) {
        process_stop(run->pid, true);
        fail(kubelet, run, "DeadlineExceeded");
    } else if (!run->ready && now_ns >= ready_ns &&
               !behaviour(kubelet, pod, "sandbox/never-ready") && is_ready(run, pod)) {
        run->ready = true;
        set_status(kubelet, run, "Running", NULL, running());
    }
    return !run->ready && now_ns < ready_ns && !run->pid ? ready_ns : now_ns + PROBE_NS;
}

/* Ends the process; the pod is gone when that is. Gives when to look again. */
static int64_t stop(struct kubelet *kubelet, struct kubelet_run *run, const json_t *pod)
{
    int64_t now_ns = clock_now_ns();
    int64_t grace_ns = jsonx_int(pod, "metadata.deletionGracePeriodSeconds", 0) * CLOCK_S;

    if (run->pid && process_ended(run->pid))
        run->pid = 0;
    if (!run->pid && json_array_size(jsonx_array(pod, "metadata.finalizers")) > 0)
        return now_ns + IDLE_NS;
    if (!run->pid) {
        run->over = true;
        store_remove(kubelet->store, run->key);
        return now_ns;
    }
    if (!run->stopped_ns)
        run->stopped_ns = now_ns;
    process_stop(run->pid, now_ns >= run->stopped_ns + grace_ns);
    return now_ns + PROBE_NS / 5;
}

/* ---- all pods */

/* An address of its own in 127.0.0.0/8; other sandboxes on the machine have other ones. */
static void give_address(struct kubelet *kubelet, char out[static 16])
{
    unsigned n = kubelet->addresses++;

    unsigned pid = (unsigned)getpid();

    snprintf(out, 16, "127.%u.%u.%u", 20 + pid / HOSTS_MAX % HOSTS_MAX, pid % HOSTS_MAX,
             1 + n % HOSTS_MAX);
}

static struct kubelet_run *find_run(struct kubelet *kubelet, const json_t *pod)
{
    const char *uid = jsonx_string(pod, "metadata.uid");
    struct kubelet_run *run;

    for (run = kubelet->runs; run; run = run->next) {
        if (strcmp(run->uid, uid) == 0)
            return run;
    }
    run = calloc(1, sizeof *run);
    if (!run)
        errx(3, "sandbox: out of memory");
    store_key_of(run->key, "pods", pod);
    snprintf(run->uid, sizeof run->uid, "%s", uid);
    give_address(kubelet, run->ip);
    run->begun_ns = clock_now_ns();
    run->next = kubelet->runs;
    kubelet->runs = run;
    return run;
}

/* Forgets pods that are gone; processes of those removed without grace are killed. */
static void forget_gone(struct kubelet *kubelet)
{
    for (struct kubelet_run **at = &kubelet->runs; *at;) {
        struct kubelet_run *run = *at;
        const char *uid = jsonx_string(store_get(kubelet->store, run->key), "metadata.uid");

        if (text_equal(uid, run->uid)) {
            at = &run->next;
            continue;
        }
        process_kill(run->pid);
        *at = run->next;
        free(run);
    }
}

/* One look at all pods; gives when the next one is due. */
static int64_t look(struct kubelet *kubelet)
{
    json_auto_t *pods = store_list(kubelet->store, "pods/");
    int64_t due_ns = clock_now_ns() + IDLE_NS, next_ns;
    const json_t *pod;
    size_t i;

    json_array_foreach (pods, i, pod) {
        struct kubelet_run *run;

        if (!jsonx_string(pod, "spec.nodeName"))
            continue;
        run = find_run(kubelet, pod);
        next_ns = jsonx_string(pod, "metadata.deletionTimestamp") ? stop(kubelet, run, pod)
                                                                  : advance(kubelet, run, pod);
        if (next_ns < due_ns)
            due_ns = next_ns;
    }
    forget_gone(kubelet);
    return due_ns;
}

void *kubelet_main(void *arg)
{
    struct kubelet *kubelet = arg;
    struct store *store = kubelet->store;

    pthread_mutex_lock(&store->lock);
    while (!store->stopping) {
        int64_t version, due_ns;

        scheduler_run(store);
        version = store->version;
        due_ns = look(kubelet);
        if (version == store->version && !store->stopping)
            store_wait(store, due_ns);
    }
    json_object_clear(store->objects);
    forget_gone(kubelet);
    pthread_mutex_unlock(&store->lock);
    return NULL;
}
