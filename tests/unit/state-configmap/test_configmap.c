/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/jsonx.h"
#include "memory_kube.h"
#include "unit/recording_host.h"
#include "state-configmap/configmap_settings.h"
#include "state-configmap/shard.h"

#include <cas-backup/state.h>

#define MAPS  "/api/v1/namespaces/ns/configmaps"
#define FIRST MAPS "/mycas-backup-state"
#define OURS  "'labels':{'cas-backup/instance':'mycas-backup','cas-backup/component':'state'}"
#define BEFORE                                                                                     \
    "'labels':{'app.kubernetes.io/instance':'mycas-backup',"                                       \
    "'app.kubernetes.io/managed-by':'cas-backup','app.kubernetes.io/component':'state'}"

struct fixture {
    struct kube *kube;
    struct recording_host host;
    struct configmap_settings settings;
    void *self;
};

static const struct casb_state_ops *ops(void)
{
    return casb_plugin.ops;
}

static void lost(const char *why, void *arg)
{
    (void)why;
    (void)arg;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct casb_call call = call_for(10);

    assert_non_null(f);
    f->kube = memory_kube_new();
    memory_kube_serve(f->kube);
    recording_host_init(&f->host, "me");
    f->settings.lease_duration_ns = 30 * CLOCK_S;
    assert_int_equal(casb_plugin.open(&f->host.host, &f->settings, &f->self, NULL), 0);
    assert_int_equal(ops()->lock(f->self, &call, lost, NULL, NULL), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    casb_plugin.close(f->self);
    kube_close(f->kube);
    free(f);
    return 0;
}

static int store(struct fixture *f, const char *uid, const char *name, struct casb_error *err)
{
    const struct casb_call call = call_for(10);
    const struct casb_record record = {.uid = uid, .name = name};

    return ops()->store(f->self, &call, &record, 1, err);
}

static int drop(struct fixture *f, const char *uid)
{
    const struct casb_call call = call_for(10);

    return ops()->drop(f->self, &call, &uid, 1, NULL);
}

static int note(const struct casb_record *record, void *arg)
{
    return buf_printf(arg, "%s=%s;", record->uid, record->name);
}

/* "UID=NAME;" of every record. */
static void assert_records(struct fixture *f, const char *want)
{
    const struct casb_call call = call_for(10);
    _cleanup_(buf_free) struct buf list = BUF_INIT(4096);

    assert_int_equal(ops()->load(f->self, &call, note, &list, NULL), 0);
    assert_string_equal(buf_text(&list), want);
}

static void assert_data(struct fixture *f, const char *path, const char *uid, const char *want)
{
    json_auto_t *object = memory_kube_get(f->kube, path);
    const char *text = json_string_value(json_object_get(jsonx_object(object, "data"), uid));

    if (want)
        assert_string_equal(text, want);
    else
        assert_null(text);
}

static void refuse(struct fixture *f, enum kube_verb verb, int code, int http, bool done)
{
    const struct memory_failure failure = {verb, "configmaps", 1, code, http, done};

    memory_kube_fail(f->kube, &failure);
}

static void no_configmap_is_no_records(void **state)
{
    assert_records(*state, "");
}

static void records_are_kept_replaced_and_dropped(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_data(f, FIRST, "a", "{\"name\":\"one\"}");
    assert_int_equal(store(f, "b", "two", NULL), 0);
    assert_int_equal(store(f, "a", "three", NULL), 0);
    assert_records(f, "a=three;b=two;");
    assert_int_equal(drop(f, "a"), 0);
    assert_int_equal(drop(f, "unknown"), 0);
    assert_records(f, "b=two;");
    assert_int_equal(memory_kube_count(f->kube, KUBE_POST, "configmaps"), 1);
    assert_int_equal(memory_kube_count(f->kube, KUBE_MERGE_PATCH, "configmaps"), 3);
}

static void a_batch_is_one_request(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const struct casb_record records[] = {{.uid = "a", .name = "one"}, {.uid = "b", .name = "two"}};

    assert_int_equal(ops()->store(f->self, &call, records, 2, NULL), 0);
    assert_records(f, "a=one;b=two;");
    assert_int_equal(memory_kube_count(f->kube, KUBE_POST, "configmaps"), 1);
    assert_int_equal(ops()->store(f->self, &call, records, 0, NULL), 0);
    assert_int_equal(memory_kube_count(f->kube, KUBE_MERGE_PATCH, "configmaps"), 0);
}

static void nothing_is_written_without_the_lock(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);

    assert_int_equal(ops()->unlock(f->self, &call, NULL), 0);
    assert_int_equal(store(f, "a", "one", NULL), CASB_EINVALID);
    assert_int_equal(drop(f, "a"), CASB_EINVALID);
    assert_int_equal(memory_kube_count(f->kube, KUBE_POST, "configmaps"), 0);
}

static void damaged_and_foreign_data_is_warned_about_and_left_alone(void **state)
{
    struct fixture *f = *state;

    memory_kube_set(
        f->kube, FIRST,
        "{'metadata':{'name':'mycas-backup-state'," OURS "},'data':{"
        "'README':'hello','b':'{}x','c':'{\\'status\\':7}','d':'{\\'name\\':\\'four\\'}'}}");
    assert_records(f, "d=four;");
    assert_non_null(strstr(f->host.log, "ConfigMap 'mycas-backup-state': record 'README' is "));
    assert_non_null(strstr(f->host.log, "record 'b' is ignored: "));
    assert_non_null(strstr(f->host.log, "record 'c' is ignored: its 'status' is damaged\n"));
    assert_int_equal(store(f, "e", "five", NULL), 0);
    assert_data(f, FIRST, "README", "hello");
    assert_int_equal(store(f, "c", "three", NULL), 0);
    assert_data(f, FIRST, "c", "{\"name\":\"three\"}");
}

static void other_instances_are_not_ours(void **state)
{
    struct fixture *f = *state;

    memory_kube_set(f->kube, MAPS "/x",
                    "{'metadata':{'name':'x','labels':{'cas-backup/instance':'other',"
                    "'cas-backup/component':'state'}},'data':{'a':'{}'}}");
    assert_records(f, "");
}

static void those_of_the_version_before_are_ours_and_marked_anew(void **state)
{
    struct fixture *f = *state;
    json_auto_t *object = NULL;

    memory_kube_set(f->kube, FIRST,
                    "{'metadata':{'name':'mycas-backup-state'," BEFORE
                    "},'data':{'a':'{\\'name\\':\\'node-a\\'}'}}");
    assert_records(f, "a=node-a;");
    assert_int_equal(store(f, "b", "node-b", NULL), 0);
    assert_records(f, "a=node-a;b=node-b;");
    object = memory_kube_get(f->kube, FIRST);
    assert_string_equal(json_string_value(json_object_get(jsonx_object(object, "metadata.labels"),
                                                          "cas-backup/instance")),
                        "mycas-backup");
    assert_int_equal(memory_kube_count(f->kube, KUBE_POST, "configmaps"), 0);
}

/* One that a finalizer holds takes with it what is written there. */
static void one_that_is_not_to_be_written_is_only_read(void **state)
{
    static const char *const reasons[] = {"", "'immutable':true,"};
    static const char *const deletions[] = {"'deletionTimestamp':'2026-01-01T00:00:00Z',", ""};
    struct fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(reasons); i++) {
        char text[600];

        snprintf(text, sizeof text,
                 "{%s'metadata':{'name':'mycas-backup-state',%s" OURS
                 "},'data':{'a':'{\\'name\\':\\'node-a\\'}','b':'{\\'name\\':\\'node-b\\'}'}}",
                 reasons[i], deletions[i]);
        memory_kube_set(f->kube, FIRST, text);
        memory_kube_set(f->kube, FIRST "-2", NULL);
        assert_records(f, "a=node-a;b=node-b;");
        assert_int_equal(store(f, "a", "node-A", NULL), 0);
        assert_data(f, FIRST, "a", "{\"name\":\"node-a\"}");
        assert_data(f, FIRST "-2", "a", "{\"name\":\"node-A\"}");
        assert_records(f, "a=node-a;b=node-b;a=node-A;");
        assert_int_equal(memory_kube_count(f->kube, KUBE_MERGE_PATCH, "configmaps"), 0);
    }
}

static void one_that_admission_takes_from_us_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct casb_error err = {0};

    memory_kube_strip(f->kube, "cas-backup/component");
    assert_int_equal(store(f, "a", "node-a", &err), CASB_EFAILED);
    assert_string_equal(err.text, "ConfigMap 'mycas-backup-state': admission changed "
                                  "'cas-backup/component', by which it is found again");
    assert_null(memory_kube_get(f->kube, FIRST));
}

static void none_is_made_after_one_that_admission_took(void **state)
{
    struct fixture *f = *state;
    struct casb_error err = {0};

    memory_kube_strip(f->kube, "cas-backup/component");
    memory_kube_fail(
        f->kube, &(struct memory_failure){KUBE_DELETE, "configmaps", -1, CASB_EDENIED, 403, false});
    for (int i = 0; i < 3; i++) {
        err = (struct casb_error){0};
        assert_int_equal(store(f, "a", "node-a", &err), CASB_EFAILED);
        assert_non_null(strstr(err.text, "admission changed 'cas-backup/component'"));
    }
    assert_int_equal(memory_kube_count(f->kube, KUBE_POST, "configmaps"), 1);
    assert_non_null(strstr(f->host.log, "ConfigMap 'mycas-backup-state', made in vain, stays: "));
}

static void a_name_that_somebody_else_has_is_passed_over(void **state)
{
    struct fixture *f = *state;

    memory_kube_set(f->kube, FIRST, "{'metadata':{'name':'mycas-backup-state'},'data':{'a':'x'}}");
    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_data(f, FIRST, "a", "x");
    assert_data(f, FIRST "-2", "a", "{\"name\":\"one\"}");
    assert_records(f, "a=one;");
}

/* The last one that is given counts. */
static void of_two_records_the_newer_counts(void **state)
{
    struct fixture *f = *state;

    memory_kube_set(f->kube, MAPS "/p",
                    "{'metadata':{'name':'p'," OURS "},'data':{"
                    "'a':'{\\'name\\':\\'old\\',\\'attempted\\':\\'2026-01-01T00:00:00Z\\'}',"
                    "'b':'{\\'name\\':\\'new\\',\\'attempted\\':\\'2026-01-02T00:00:00Z\\'}',"
                    "'c':'damaged'}}");
    memory_kube_set(f->kube, MAPS "/q",
                    "{'metadata':{'name':'q'," OURS "},'data':{"
                    "'a':'{\\'name\\':\\'new\\',\\'attempted\\':\\'2026-01-02T00:00:00Z\\'}',"
                    "'b':'{\\'name\\':\\'old\\',\\'attempted\\':\\'2026-01-01T00:00:00Z\\'}',"
                    "'c':'{\\'name\\':\\'good\\'}'}}");
    assert_records(f, "a=old;b=new;a=new;c=good;");
    assert_non_null(strstr(f->host.log, "'a' is in two ConfigMaps, the older one in 'p' is"));
    assert_int_equal(store(f, "d", "one", NULL), 0);
    assert_data(f, MAPS "/p", "a", NULL);
    assert_data(f, MAPS "/p", "c", NULL);
    assert_data(f, MAPS "/q", "b", NULL);
    assert_records(f, "b=new;d=one;a=new;c=good;");
}

/* A clock that was ahead once would have its record win for ever. */
static void a_record_of_the_future_is_the_older_one(void **state)
{
    struct fixture *f = *state;

    memory_kube_set(f->kube, MAPS "/p",
                    "{'metadata':{'name':'p'," OURS "},'data':{"
                    "'a':'{\\'name\\':\\'wrong\\',\\'attempted\\':\\'2999-01-01T00:00:00Z\\'}',"
                    "'b':'{\\'name\\':\\'right\\',\\'attempted\\':\\'2026-01-01T00:00:00Z\\'}'}}");
    memory_kube_set(f->kube, MAPS "/q",
                    "{'metadata':{'name':'q'," OURS "},'data':{"
                    "'a':'{\\'name\\':\\'right\\',\\'attempted\\':\\'2026-01-01T00:00:00Z\\'}',"
                    "'b':'{\\'name\\':\\'wrong\\',\\'attempted\\':\\'2999-01-01T00:00:00Z\\'}'}}");
    assert_records(f, "a=wrong;b=right;a=right;");
}

static void a_deleted_configmap_is_made_again(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(store(f, "a", "one", NULL), 0);
    memory_kube_set(f->kube, FIRST, NULL);
    assert_int_equal(store(f, "b", "two", NULL), 0);
    assert_records(f, "b=two;");
    assert_int_equal(memory_kube_count(f->kube, KUBE_POST, "configmaps"), 2);
}

static void one_that_somebody_replaced_is_left_alone(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(store(f, "a", "one", NULL), 0);
    memory_kube_set(f->kube, FIRST, "{'metadata':{'name':'mycas-backup-state'},'data':{}}");
    assert_int_equal(store(f, "b", "two", NULL), 0);
    assert_data(f, FIRST, "b", NULL);
    assert_records(f, "b=two;");
}

static void one_that_may_not_grow_is_made_up_for(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(store(f, "a", "one", NULL), 0);
    refuse(f, KUBE_MERGE_PATCH, CASB_EINVALID, 422, false);
    assert_int_equal(store(f, "b", "two", NULL), 0);
    assert_data(f, FIRST, "b", NULL);
    assert_data(f, FIRST "-2", "b", "{\"name\":\"two\"}");
    assert_records(f, "a=one;b=two;");
    refuse(f, KUBE_MERGE_PATCH, CASB_EINVALID, 413, false);
    assert_int_equal(store(f, "a", "one and more", NULL), 0);
    assert_data(f, FIRST, "a", NULL);
    assert_records(f, "b=two;a=one and more;");
}

static void a_create_whose_answer_was_lost_is_found_again(void **state)
{
    struct fixture *f = *state;
    struct casb_error err = {0};

    refuse(f, KUBE_POST, CASB_EUNREACHABLE, 0, true);
    assert_int_equal(store(f, "a", "one", &err), CASB_EUNREACHABLE);
    assert_true(err.retry);
    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_int_equal(memory_kube_count(f->kube, KUBE_POST, "configmaps"), 1);
    assert_records(f, "a=one;");
}

static void a_refusal_is_an_error_with_its_reason(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    struct casb_error err = {0};

    refuse(f, KUBE_POST, CASB_EDENIED, 403, false);
    assert_int_equal(store(f, "a", "one", &err), CASB_EDENIED);
    assert_string_equal(err.text, "ConfigMap 'mycas-backup-state': it fails on request");
    assert_int_equal(err.http, 403);
    refuse(f, KUBE_GET, CASB_EDENIED, 403, false);
    assert_int_equal(ops()->load(f->self, &call, note, NULL, NULL), CASB_EDENIED);
}

static void many_records_spread_over_several_configmaps(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(60);
    enum { COUNT = 2000 };
    struct casb_record *records = calloc(COUNT, sizeof *records);
    char(*uids)[64] = calloc(COUNT, sizeof *uids);
    _cleanup_(buf_free) struct buf list = BUF_INIT(16 * 1024 * 1024);
    char error[200];
    size_t n = 0;

    assert_true(records && uids);
    memset(error, 'e', sizeof error - 1);
    error[sizeof error - 1] = '\0';
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(uids[i], sizeof uids[i], "7f3c1d9e-0000-4000-8000-%012zu", i);
        records[i] = (struct casb_record){.uid = uids[i], .name = uids[i], .error = error};
    }
    assert_int_equal(ops()->store(f->self, &call, records, COUNT, NULL), 0);
    assert_int_equal(ops()->store(f->self, &call, records, COUNT, NULL), 0);
    assert_int_equal(ops()->load(f->self, &call, note, &list, NULL), 0);
    for (const char *c = buf_text(&list); *c; c++)
        n += *c == ';';
    assert_int_equal(n, COUNT);
    n = (size_t)memory_kube_count(f->kube, KUBE_POST, "configmaps");
    assert_true(n > 1);
    assert_int_equal(memory_kube_count(f->kube, KUBE_MERGE_PATCH, "configmaps"), n);
    free(records);
    free(uids);
}

static int stop(const struct casb_record *record, void *arg)
{
    (void)record;
    ++*(int *)arg;
    return CASB_ECANCELLED;
}

#define MANY 200

/* Stores that many records of some 150 bytes in one batch. */
static int store_many(struct fixture *f, struct casb_error *err)
{
    const struct casb_call call = call_for(60);
    struct casb_record records[MANY];
    char uids[MANY][16], error[101];

    memset(error, 'e', sizeof error - 1);
    error[sizeof error - 1] = 0;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(uids[i], sizeof uids[i], "uid-%zu", i);
        records[i] = (struct casb_record){.uid = uids[i], .name = "n", .error = error};
    }
    return ops()->store(f->self, &call, records, MANY, err);
}

static int count_loaded(const struct casb_record *record, void *arg)
{
    (void)record;
    ++*(size_t *)arg;
    return 0;
}

static void a_body_that_a_proxy_refuses_is_split(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(60);
    struct casb_error err = {0};
    size_t count = 0;
    int patches;

    memory_kube_limit(f->kube, 10 * 1024);
    assert_int_equal(store_many(f, &err), 0);
    assert_int_equal(ops()->load(f->self, &call, count_loaded, &count, NULL), 0);
    assert_int_equal(count, MANY);
    assert_in_range(memory_kube_count(f->kube, KUBE_POST, "configmaps"), 2, 5);
    patches = memory_kube_count(f->kube, KUBE_MERGE_PATCH, "configmaps");
    assert_int_equal(store_many(f, &err), 0);
    assert_in_range(memory_kube_count(f->kube, KUBE_MERGE_PATCH, "configmaps") - patches, 3, 8);
}

static void a_record_that_a_proxy_refuses_costs_no_other_one(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    char huge[3000];
    const struct casb_record records[] = {
        {.uid = "a", .name = "node-a"},
        {.uid = "b", .name = huge},
        {.uid = "c", .name = "node-c"},
    };
    struct casb_error err = {0};

    memset(huge, 'h', sizeof huge - 1);
    huge[sizeof huge - 1] = 0;
    memory_kube_limit(f->kube, 2000);
    assert_int_equal(ops()->store(f->self, &call, records, 3, &err), CASB_EINVALID);
    assert_int_equal(err.http, 413);
    assert_non_null(strstr(err.text, "record 'b': too large"));
    assert_records(f, "a=node-a;c=node-c;");
}

static void a_configmap_that_etcd_refuses_is_made_up_for(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(store(f, "a", "node-a", NULL), 0);
    memory_kube_fail(f->kube,
                     &(struct memory_failure){KUBE_MERGE_PATCH, "configmaps", 1, CASB_EUNREACHABLE,
                                              500, false, "etcdserver: request is too large"});
    assert_int_equal(store(f, "b", "node-b", NULL), 0);
    assert_records(f, "a=node-a;b=node-b;");
    assert_int_equal(memory_kube_count(f->kube, KUBE_POST, "configmaps"), 2);
}

static void the_taker_can_end_the_load(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    int n = 0;

    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_int_equal(store(f, "b", "two", NULL), 0);
    assert_int_equal(ops()->load(f->self, &call, stop, &n, NULL), CASB_ECANCELLED);
    assert_int_equal(n, 1);
}

static void note_finding(const struct casb_finding *finding, void *arg)
{
    assert_true(finding->good == !finding->detail);
    assert_int_equal(buf_printf(arg, "%s%s\n", finding->good ? "" : "no ", finding->what), 0);
    if (!finding->good)
        assert_string_equal(finding->remedy,
                            "kubectl apply -k cronjob/base, or add to a Role in namespace 'ns': "
                            "{apiGroups: [\"\"], resources: [configmaps], verbs: [patch]}");
}

static void check_asks_for_every_right(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    _cleanup_(buf_free) struct buf findings = BUF_INIT(4096);

    memory_kube_deny(f->kube, "patch configmaps mycas-backup-state");
    assert_int_equal(casb_plugin.check(f->self, &call, note_finding, &findings, NULL), 0);
    assert_string_equal(buf_text(&findings), "list configmaps in namespace 'ns'\n"
                                             "create configmaps in namespace 'ns'\n"
                                             "no patch configmaps in namespace 'ns'\n"
                                             "list leases in namespace 'ns'\n"
                                             "get leases in namespace 'ns'\n"
                                             "create leases in namespace 'ns'\n"
                                             "update leases in namespace 'ns'\n"
                                             "delete leases in namespace 'ns'\n");
}

static void wrong_settings_are_refused(void **state)
{
    struct fixture *f = *state;
    struct configmap_settings wrong = f->settings;
    struct casb_error err = {0};
    void *self = NULL;

    wrong.lease_duration_ns = CLOCK_S;
    assert_int_equal(casb_plugin.open(&f->host.host, &wrong, &self, &err), CASB_EINVALID);
    assert_string_equal(err.text, "lease_duration: it must be from 3s to 1h");
    wrong = f->settings;
    wrong.namespace = "a/b";
    assert_int_equal(casb_plugin.open(&f->host.host, &wrong, &self, NULL), CASB_EINVALID);
    assert_null(self);
}

static void note_pass(const struct casb_pass *pass, void *arg)
{
    assert_int_equal(buf_puts(arg, pass->version), 0);
}

/* What is remembered of the last pass, seen anew with `fresh`; "": nothing. */
static void assert_pass(struct fixture *f, const char *want)
{
    const struct casb_call call = call_for(10);
    _cleanup_(buf_free) struct buf version = BUF_INIT(4096);

    assert_records(f, "a=one;");
    assert_int_equal(ops()->load_pass(f->self, &call, note_pass, &version, NULL), 0);
    assert_string_equal(buf_text(&version), want);
}

static int store_pass(struct fixture *f, const char *version)
{
    const struct casb_call call = call_for(10);
    const struct casb_pass pass = {.started = 1000, .version = version};

    return ops()->store_pass(f->self, &call, &pass, NULL);
}

static void a_pass_is_remembered_in_an_annotation(void **state)
{
    struct fixture *f = *state;
    json_auto_t *object = NULL;

    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_pass(f, "");
    assert_int_equal(store_pass(f, "1"), 0);
    assert_int_equal(store_pass(f, "2"), 0);
    assert_pass(f, "2");
    assert_int_equal(memory_kube_count(f->kube, KUBE_POST, "configmaps"), 1);
    assert_int_equal(memory_kube_count(f->kube, KUBE_MERGE_PATCH, "configmaps"), 2);
    object = memory_kube_get(f->kube, FIRST);
    assert_int_equal(json_object_size(jsonx_object(object, "data")), 1);
}

static void a_pass_without_records_makes_a_configmap(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(store_pass(f, "1"), 0);
    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_pass(f, "1");
    assert_int_equal(memory_kube_count(f->kube, KUBE_POST, "configmaps"), 1);
    memory_kube_set(f->kube, FIRST, NULL); /* somebody deleted it */
    assert_int_equal(store_pass(f, "2"), 0);
    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_pass(f, "2");
}

static void a_pass_is_remembered_where_it_was_before(void **state)
{
    struct fixture *f = *state;
    json_auto_t *object = NULL;

    memory_kube_set(f->kube, FIRST,
                    "{'metadata':{'name':'mycas-backup-state'," OURS
                    "},'data':{'a':'{\\'name\\':\\'one\\'}'}}");
    memory_kube_set(f->kube, FIRST "-2",
                    "{'metadata':{'name':'mycas-backup-state-2'," OURS
                    ",'annotations':{'cas-backup/pass':'nonsense'}},"
                    "'data':{}}");
    assert_pass(f, "");
    assert_int_equal(store_pass(f, "1"), 0);
    assert_pass(f, "1");
    object = memory_kube_get(f->kube, FIRST);
    assert_null(jsonx_object(object, "metadata.annotations"));
}

#define WITH_STATE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STATE(no_configmap_is_no_records),
        WITH_STATE(records_are_kept_replaced_and_dropped),
        WITH_STATE(a_batch_is_one_request),
        WITH_STATE(nothing_is_written_without_the_lock),
        WITH_STATE(damaged_and_foreign_data_is_warned_about_and_left_alone),
        WITH_STATE(other_instances_are_not_ours),
        WITH_STATE(those_of_the_version_before_are_ours_and_marked_anew),
        WITH_STATE(one_that_is_not_to_be_written_is_only_read),
        WITH_STATE(one_that_admission_takes_from_us_is_an_error),
        WITH_STATE(none_is_made_after_one_that_admission_took),
        WITH_STATE(a_name_that_somebody_else_has_is_passed_over),
        WITH_STATE(of_two_records_the_newer_counts),
        WITH_STATE(a_record_of_the_future_is_the_older_one),
        WITH_STATE(a_deleted_configmap_is_made_again),
        WITH_STATE(one_that_somebody_replaced_is_left_alone),
        WITH_STATE(one_that_may_not_grow_is_made_up_for),
        WITH_STATE(a_create_whose_answer_was_lost_is_found_again),
        WITH_STATE(a_refusal_is_an_error_with_its_reason),
        WITH_STATE(many_records_spread_over_several_configmaps),
        WITH_STATE(a_body_that_a_proxy_refuses_is_split),
        WITH_STATE(a_record_that_a_proxy_refuses_costs_no_other_one),
        WITH_STATE(a_configmap_that_etcd_refuses_is_made_up_for),
        WITH_STATE(the_taker_can_end_the_load),
        WITH_STATE(a_pass_is_remembered_in_an_annotation),
        WITH_STATE(a_pass_without_records_makes_a_configmap),
        WITH_STATE(a_pass_is_remembered_where_it_was_before),
        WITH_STATE(check_asks_for_every_right),
        WITH_STATE(wrong_settings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
