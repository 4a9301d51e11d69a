/* SPDX-License-Identifier: Apache-2.0 */
/* Leases of passes that split the nodes otherwise. */
#include "unit/unit.h"

#include "base/jsonx.h"
#include "memory_kube.h"
#include "state-configmap/lease.h"
#include "state-configmap/rivals.h"
#include "unit/recording_host.h"

#include <pthread.h>

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/ns/leases"

struct fixture {
    struct kube *kube;
    struct recording_host host;
    struct lease *lease;
};

/* A pass of that share, or with a count of 0 of all nodes. */
static void begin(struct fixture *f, uint32_t index, uint32_t count)
{
    f->kube = memory_kube_new();
    recording_host_init(&f->host, "me");
    f->host.host.share = (struct casb_share){index, count};
    assert_int_equal(lease_new(&f->host.host, f->kube, 3 * CLOCK_S, &f->lease, NULL), 0);
}

static void end(struct fixture *f)
{
    lease_free(f->lease);
    kube_close(f->kube);
}

static void never_lost(const char *why, void *arg)
{
    (void)arg;
    fail_msg("%s", why);
}

static int take(struct fixture *f, int64_t seconds, struct casb_error *err)
{
    const struct casb_call call = call_for(seconds);

    return lease_take(f->lease, &call, never_lost, f, err);
}

static void give_back(struct fixture *f)
{
    const struct casb_call call = call_for(10);

    assert_int_equal(lease_give_back(f->lease, &call, NULL), 0);
}

/* Somebody's lease of that name, renewed at that time. */
static void put(struct fixture *f, const char *name, const char *renewed, int duration_s)
{
    char path[256], text[600];

    snprintf(path, sizeof path, LEASES "/%s", name);
    snprintf(text, sizeof text,
             "{'metadata':{'name':'%s','labels':{'cas-backup/instance':'mycas-backup',"
             "'cas-backup/component':'lock'}},'spec':{'holderIdentity':'other','renewTime':'%s',"
             "'leaseDurationSeconds':%d}}",
             name, renewed, duration_s);
    memory_kube_set(f->kube, path, text);
}

static bool is_there(struct fixture *f, const char *name)
{
    char path[256];
    json_auto_t *object = NULL;

    snprintf(path, sizeof path, LEASES "/%s", name);
    object = memory_kube_get(f->kube, path);
    return object;
}

static void leases_have_the_names_of_shares(void **state)
{
    static const struct {
        struct casb_share share;
        const char *name;
    } names[] = {
        {{0, 0}, "mycas"},
        {{0, 1}, "mycas"},
        {{0, 4}, "mycas-0-of-4"},
        {{999, 1000}, "mycas-999-of-1000"},
    };
    char name[RIVALS_NAME_BYTES];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(names); i++) {
        uint32_t count = names[i].share.count > 1 ? names[i].share.count : 1;

        assert_string_equal(rivals_lease_name(name, "mycas", &names[i].share), names[i].name);
        assert_int_equal(rivals_shares(name, "mycas"), count);
    }
    assert_int_equal(rivals_shares("x-1-of-4", "x-1-of-4"), 1);
    assert_int_equal(rivals_shares("x-1-of-4x", "x"), 1);
}

static void shares_of_one_count_hold_their_locks_side_by_side(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1, 4);
    put(&f, "mycas-backup-0-of-4", "A", 3600);
    assert_int_equal(take(&f, 10, NULL), 0);
    assert_true(is_there(&f, "mycas-backup-1-of-4"));
    give_back(&f);
    assert_false(is_there(&f, "mycas-backup-1-of-4"));
    assert_true(is_there(&f, "mycas-backup-0-of-4"));
    end(&f);
}

/* Renews the rival's lease once somebody looked at it. */
static void *renew_once(void *arg)
{
    struct fixture *f = arg;

    memory_kube_wait(f->kube, KUBE_GET, LEASES, 2); /* its own, and all of them */
    put(f, "mycas-backup-0-of-3", "B", 3600);
    return NULL;
}

static void a_live_pass_of_another_count_has_the_lock(void **state)
{
    static const uint32_t counts[] = {0, 2};
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(counts); i++) {
        struct casb_error err = {0};
        char own[RIVALS_NAME_BYTES];
        pthread_t thread;

        begin(&f, 0, counts[i]);
        put(&f, "mycas-backup-0-of-3", "A", 3600);
        assert_int_equal(pthread_create(&thread, NULL, renew_once, &f), 0);
        assert_int_equal(take(&f, 60, &err), CASB_ECONFLICT);
        pthread_join(thread, NULL);
        assert_non_null(strstr(err.text, "by lease 'mycas-backup-0-of-3'"));
        assert_non_null(strstr(err.text, "'other' since"));
        assert_false(is_there(&f, rivals_lease_name(own, "mycas-backup", &f.host.host.share)));
        assert_true(is_there(&f, "mycas-backup-0-of-3"));
        assert_int_equal(lease_check(f.lease, NULL), CASB_EINVALID);
        end(&f);
    }
}

static void the_lease_of_a_dead_pass_is_watched_and_removed(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 0, 2);
    put(&f, "mycas-backup", "A", 1);
    put(&f, "mycas-backup-2-of-3", "A", 1);
    assert_int_equal(take(&f, 60, NULL), 0);
    assert_false(is_there(&f, "mycas-backup"));
    assert_false(is_there(&f, "mycas-backup-2-of-3"));
    assert_true(is_there(&f, "mycas-backup-0-of-2"));
    give_back(&f);
    end(&f);
}

/* More than are watched at a time. */
static void any_number_of_dead_passes_is_removed(void **state)
{
    char name[RIVALS_NAME_BYTES];
    struct fixture f;

    (void)state;
    begin(&f, 0, 2);
    for (unsigned i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "mycas-backup-%u-of-150", i);
        put(&f, name, "A", 1);
    }
    assert_int_equal(take(&f, 60, NULL), 0);
    for (unsigned i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "mycas-backup-%u-of-150", i);
        assert_false(is_there(&f, name));
    }
    give_back(&f);
    end(&f);
}

/* However long it was waited for, there is time to give back what was taken. */
static void one_that_may_live_has_the_lock_when_time_is_over(void **state)
{
    struct casb_error err = {0};
    struct fixture f;

    (void)state;
    begin(&f, 0, 2);
    put(&f, "mycas-backup", "A", 3600);
    assert_int_equal(take(&f, 11, &err), CASB_ECONFLICT);
    assert_non_null(strstr(err.text, "alive or not"));
    assert_false(is_there(&f, "mycas-backup-0-of-2"));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leases_have_the_names_of_shares),
        cmocka_unit_test(shares_of_one_count_hold_their_locks_side_by_side),
        cmocka_unit_test(a_live_pass_of_another_count_has_the_lock),
        cmocka_unit_test(the_lease_of_a_dead_pass_is_watched_and_removed),
        cmocka_unit_test(any_number_of_dead_passes_is_removed),
        cmocka_unit_test(one_that_may_live_has_the_lock_when_time_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
