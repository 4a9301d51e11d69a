/* SPDX-License-Identifier: Apache-2.0 */
#include "spawning.h"

#include "base/label.h"
#include "discovery-kubernetes/remove.h"

_Atomic int64_t clock_step_ns, clock_ahead_ns;

int64_t __real_clock_now_ns(void);
int64_t __wrap_clock_now_ns(void);

int64_t __wrap_clock_now_ns(void)
{
    return __real_clock_now_ns() + atomic_fetch_add(&clock_ahead_ns, clock_step_ns);
}

int64_t waits[64];
size_t wait_count;

int __real_clock_sleep(const struct casb_call *call, int64_t ns);
int __wrap_clock_sleep(const struct casb_call *call, int64_t ns);

int __wrap_clock_sleep(const struct casb_call *call, int64_t ns)
{
    int64_t left_ns = call->deadline_ns - clock_now_ns();
    int r = __real_clock_sleep(call, CLOCK_MS);

    if (wait_count < ELEMENTS(waits))
        waits[wait_count++] = ns;
    atomic_fetch_add(&clock_ahead_ns, ns < left_ns ? ns : left_ns);
    return r == 0 && ns >= left_ns ? CASB_ETIMEOUT : r;
}

/* Keeps the last warning. */
static void take_log(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text)
{
    struct setup *s = host->arg;

    (void)node;
    if (level == CASB_WARN)
        snprintf(s->log, sizeof s->log, "%s", text);
}

int set_up(void **state)
{
    struct setup *s = calloc(1, sizeof *s);
    char selector[POD_SELECTOR_BYTES];

    assert_non_null(s);
    fake_kube_init(&s->kube);
    clock_step_ns = 0;
    clock_ahead_ns = 0;
    wait_count = 0;
    s->call = (struct casb_call){.deadline_ns = clock_now_ns() + 20 * CLOCK_S, .cancel_fd = -1};
    s->settings.ready_timeout_ns = 20 * CLOCK_S;
    s->host =
        (struct casb_host){.size = sizeof s->host, .instance = "cas", .log = take_log, .arg = s};
    s->discovery = (struct discovery){
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .host = &s->host,
        .settings = &s->settings,
        .kube = &s->kube,
        .plan = {.instance = "cas",
                 .client_port = 8081,
                 .enclave_port = 18765,
                 .holder = "pass-2",
                 .namespace = "sgx",
                 .image = "cas:1",
                 .resource = "sgx.intel.com/enclave",
                 .las = "node",
                 .deadline_s = 60},
    };
    assert_int_equal(pod_template(&s->discovery.plan, &s->discovery.template, NULL), 0);
    assert_int_equal(ledger_new(&s->discovery.ledger, NULL), 0);
    assert_int_equal(watcher_new(&s->host, &s->kube, "sgx", pod_selector(selector, "cas"), false,
                                 &s->discovery.watcher, NULL),
                     0);
    assert_int_equal(watcher_start(s->discovery.watcher, NULL), 0);
    fake_kube_await_watch(&s->kube, 1);
    json_array_append_new(s->kube.nodes, json_pack("{s:{s:s, s:s}}", "metadata", "name", "node-1",
                                                   "uid", "machine-1"));
    *state = s;
    return 0;
}

int tear_down(void **state)
{
    struct setup *s = *state;

    watcher_free(s->discovery.watcher);
    ledger_free(s->discovery.ledger);
    json_decref(s->discovery.template);
    fake_kube_free(&s->kube);
    free(s);
    return 0;
}

int spawn(struct setup *s)
{
    const struct casb_node node = {.name = "node-1", .uid = "machine-1"};

    return spawn_pod(&s->discovery, &s->call, &node, &s->backup, &s->err);
}

int clean(struct setup *s)
{
    return remove_pod(&s->discovery, &s->call, "node-1", &s->err);
}

void add_pod(struct setup *s, const char *instance, const char *holder, bool deleting)
{
    struct pod_plan plan = s->discovery.plan;
    json_t *pod = NULL, *metadata;
    char name[LABEL_BYTES];

    plan.instance = instance;
    plan.holder = holder;
    assert_int_equal(pod_build(&plan, s->discovery.template, "node-1", "u1", &pod, NULL), 0);
    metadata = json_object_get(pod, "metadata");
    json_object_set_new(metadata, "uid", json_string("old"));
    json_object_set_new(metadata, "name", json_string(pod_name(name, "cas", "node-1")));
    if (deleting)
        json_object_set_new(metadata, "deletionTimestamp", json_string("2026-01-01T00:00:00Z"));
    pthread_mutex_lock(&s->kube.lock);
    fake_kube_add_pod(&s->kube, pod);
    pthread_mutex_unlock(&s->kube.lock);
}

size_t count_pods(struct setup *s)
{
    size_t count;

    pthread_mutex_lock(&s->kube.lock);
    count = json_object_size(s->kube.pods);
    pthread_mutex_unlock(&s->kube.lock);
    return count;
}

void assert_failed(struct setup *s, int r, int code, const char *text)
{
    assert_int_equal(r, code);
    assert_int_equal(s->err.code, code);
    assert_string_equal(s->err.text, text);
    assert_string_equal(s->backup.address, "");
}
