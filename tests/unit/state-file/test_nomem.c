/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whichever allocation fails, an error comes out, nothing leaks, and no file is changed or set
 * aside.
 */
#include "unit/unit.h"

#include "base/file.h"
#include "base/record.h"
#include "unit/chaos.h"
#include "discovery-static/commands.h"
#include "discovery-static/hosts_load.h"
#include "unit/recording_host.h"
#include "state-configmap/lease_rules.h"
#include "state-configmap/shard.h"
#include "state-file/document.h"
#include "state-file/state_file.h"

typedef int attempt_fn(void *arg, struct casb_error *err);

/* Lets one allocation more succeed each time, until the attempt does. */
static void exhaust(attempt_fn *attempt, void *arg)
{
    int r = CASB_ENOMEM;

    for (int left = 0; r; left++) {
        struct casb_error err = {0};

        assert_in_range(left, 0, 2000);
        chaos_left = left;
        r = attempt(arg, &err);
        chaos_left = -1;
        assert_int_equal(err.code, r);
        if (r && r != CASB_ENOMEM)
            fail_msg("allocation %d: %s", left, err.text);
    }
}

static const struct casb_record records[] = {
    {.uid = "a", .name = "one", .status = CASB_REGISTERED, .seen = 1, .error = "none"},
    {.uid = "b", .name = "two", .attempts = 3},
};

static int make_changes(void *arg, struct casb_error *err)
{
    json_auto_t *changes = NULL;
    json_auto_t *drops = NULL;
    int r = record_changes(records, 2, &changes, err);

    (void)arg;
    return r ? r : record_drops((const char *const[]){"a"}, 1, &drops, err);
}

static int plan_shards(void *arg, struct casb_error *err)
{
    struct shards shards = {.instance = "i"};
    json_auto_t *body = NULL;
    int r = shards_take(&shards, json_array_get(arg, 0), err);

    if (!r)
        r = shards_plan(&shards, json_array_get(arg, 1), 20, err);
    for (size_t i = 0; i < shards.n && !r; i++) {
        json_decref(body);
        body = NULL;
        r = shard_body(&shards, &shards.list[i], shards.list[i].patch, &body, err);
    }
    shards_free(&shards);
    return r;
}

static int stamp_lease(void *arg, struct casb_error *err)
{
    return lease_stamp(arg, "me", 30, 0, err);
}

static void records_shards_and_lease_without_memory(void **state)
{
    json_auto_t *cluster = json_loads(
        "[{\"metadata\":{\"name\":\"i-state\",\"uid\":\"u\"},\"data\":{\"a\":\"123456789\"}},"
        "{\"a\":\"1234567890123456789\",\"b\":\"1\",\"c\":null}]",
        0, NULL);
    json_auto_t *lease = json_loads("{\"spec\":{\"holderIdentity\":\"a\"}}", 0, NULL);

    (void)state;
    exhaust(make_changes, NULL);
    exhaust(plan_shards, cluster);
    exhaust(stamp_lease, lease);
}

static int expand(void *arg, struct casb_error *err)
{
    const struct host host = {.name = "a", .address = "h"};
    char **argv = NULL;
    int r = commands_expand(arg, &host, "i", NULL, &argv, err);

    commands_free_argv(argv);
    return r;
}

static int load_hosts(void *path, struct casb_error *err)
{
    struct hosts hosts = {0};
    int r = hosts_load(NULL, path, &hosts, err);

    hosts_free(&hosts);
    return r;
}

static void lost(const char *why, void *arg)
{
    (void)arg;
    fail_msg("lost: %s", why);
}

static int note(const struct casb_record *record, void *arg)
{
    (void)record;
    ++*(int *)arg;
    return 0;
}

static int use_state(void *settings, struct casb_error *err)
{
    const struct casb_state_ops *ops = casb_plugin.ops;
    const struct casb_call call = call_for(10);
    struct recording_host host;
    void *self = NULL;
    int n = 0, r;

    recording_host_init(&host, "me");
    r = casb_plugin.open(&host.host, settings, &self, err);
    if (r)
        return r;
    r = ops->lock(self, &call, lost, NULL, err);
    if (!r)
        r = ops->store(self, &call, records, 2, err);
    if (!r)
        r = ops->load(self, &call, note, &n, err);
    assert_string_equal(host.log, "");
    casb_plugin.close(self);
    return r;
}

static void hosts_and_state_file_without_memory(void **state)
{
    json_auto_t *command = json_loads("[\"ssh\",\"{name}\"]", 0, NULL);
    char *folder = NULL, hosts[300], path[300];
    const struct state_file_settings settings = {path};

    (void)state;
    assert_int_equal(file_private_dir("test-nomem", 0, &folder, NULL), 0);
    snprintf(hosts, sizeof hosts, "%s/hosts", folder);
    snprintf(path, sizeof path, "%s/state.json", folder);
    assert_int_equal(file_write(hosts, "b h\na h spawn=[\"x\"]\n", 20, 0600, NULL), 0);
    exhaust(expand, command);
    exhaust(load_hosts, hosts);
    exhaust(use_state, (void *)&settings);
    exhaust(use_state, (void *)&settings); /* with a file to read */
    file_remove_tree(folder, NULL);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_shards_and_lease_without_memory),
        cmocka_unit_test(hosts_and_state_file_without_memory),
    };

    json_set_alloc_funcs(malloc, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
