/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/jsonx.h"
#include "base/text.h"
#include "common/kube/ownership.h"
#include "memory_kube.h"
#include "unit/recording_host.h"
#include "state-configmap/lease.h"

#include <semaphore.h>
#include <sys/eventfd.h>

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
#define OWN    LEASES "/mycas-backup"
#define DEAD                                                                                       \
    "{'metadata':{'name':'mycas-backup'},'spec':{'holderIdentity':'dead','leaseDurationSeconds':"  \
    "%d,'leaseTransitions':3,'acquireTime':'A','renewTime':'B'}}"

struct fixture {
    struct kube *kube;
    struct recording_host host;
    struct lease *lease;
    sem_t lost; /* posted by each call of lost() */
    char why[1024];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->kube = memory_kube_new();
    recording_host_init(&f->host, "me");
    assert_int_equal(sem_init(&f->lost, 0, 0), 0);
    assert_int_equal(lease_new(&f->host.host, f->kube, 3 * CLOCK_S, &f->lease, NULL), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    lease_free(f->lease);
    kube_close(f->kube);
    sem_destroy(&f->lost);
    free(f);
    return 0;
}

static void note_lost(const char *why, void *arg)
{
    struct fixture *f = arg;

    snprintf(f->why, sizeof f->why, "%s", why);
    sem_post(&f->lost);
}

static int take(struct fixture *f, int64_t seconds, struct casb_error *err)
{
    const struct casb_call call = call_for(seconds);

    return lease_take(f->lease, &call, note_lost, f, err);
}

static void give_back(struct fixture *f)
{
    const struct casb_call call = call_for(10);
    struct casb_error err = {0};

    assert_int_equal(lease_give_back(f->lease, &call, &err), 0);
}

static void wait_until_lost(struct fixture *f)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    assert_int_equal(sem_timedwait(&f->lost, &until), 0);
}

static void assert_holder(struct fixture *f, const char *want)
{
    json_auto_t *object = memory_kube_get(f->kube, OWN);

    if (!want)
        assert_null(object);
    else
        assert_string_equal(jsonx_string(object, "spec.holderIdentity"), want);
}

static void put_dead(struct fixture *f, int duration_s)
{
    char text[512];

    snprintf(text, sizeof text, DEAD, duration_s);
    memory_kube_set(f->kube, OWN, text);
}

/* ---- taking and giving back */

static void a_lease_is_made_and_removed(void **state)
{
    struct fixture *f = *state;
    json_auto_t *object = NULL;

    assert_int_equal(lease_check(f->lease, NULL), CASB_EINVALID);
    assert_int_equal(take(f, 10, NULL), 0);
    assert_int_equal(lease_check(f->lease, NULL), 0);
    object = memory_kube_get(f->kube, OWN);
    assert_string_equal(jsonx_string(object, "spec.holderIdentity"), "me");
    assert_int_equal(jsonx_int(object, "spec.leaseDurationSeconds", 0), 3);
    assert_string_equal(json_string_value(json_object_get(jsonx_object(object, "metadata.labels"),
                                                          "cas-backup/component")),
                        "lock");
    give_back(f);
    assert_holder(f, NULL);
    assert_int_equal(lease_check(f->lease, NULL), CASB_EINVALID);
    assert_int_equal(sem_trywait(&f->lost), -1);
}

static void it_can_be_taken_again(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(take(f, 10, NULL), 0);
        assert_int_equal(take(f, 10, NULL), CASB_EINVALID);
        give_back(f);
    }
    give_back(f);
}

static void one_without_a_holder_is_taken_at_once(void **state)
{
    struct fixture *f = *state;
    json_auto_t *object = NULL;

    memory_kube_set(f->kube, OWN,
                    "{'metadata':{'name':'mycas-backup','annotations':{'a':'kept'}},"
                    "'spec':{'holderIdentity':'','leaseTransitions':3}}");
    assert_int_equal(take(f, 10, NULL), 0);
    object = memory_kube_get(f->kube, OWN);
    assert_string_equal(jsonx_string(object, "spec.holderIdentity"), "me");
    assert_int_equal(jsonx_int(object, "spec.leaseTransitions", 0), 4);
    assert_string_equal(jsonx_string(object, "metadata.annotations.a"), "kept");
    /* by which passes over other nodes find it, whoever made it */
    assert_true(ownership_is(object, "mycas-backup", "lock"));
}

static void that_of_a_dead_holder_is_taken_after_its_duration(void **state)
{
    struct fixture *f = *state;
    int64_t begun_ns = clock_now_ns();

    put_dead(f, 1);
    assert_int_equal(take(f, 10, NULL), 0);
    assert_true(clock_now_ns() - begun_ns >= CLOCK_S);
    assert_holder(f, "me");
}

static void that_of_a_living_holder_is_a_conflict_soon(void **state)
{
    struct fixture *f = *state;
    struct recording_host host;
    struct lease *other = NULL;
    const struct casb_call call = call_for(30);
    struct casb_error err = {0};

    recording_host_init(&host, "other");
    assert_int_equal(take(f, 10, NULL), 0);
    assert_int_equal(lease_new(&host.host, f->kube, 30 * CLOCK_S, &other, NULL), 0);
    assert_int_equal(lease_take(other, &call, note_lost, f, &err), CASB_ECONFLICT);
    assert_non_null(strstr(err.text, "another pass holds the lock: 'me' since "));
    lease_free(other);
    assert_holder(f, "me");
    assert_int_equal(lease_check(f->lease, NULL), 0);
}

static void without_time_to_wait_it_is_a_conflict_too(void **state)
{
    struct fixture *f = *state;
    struct casb_error err = {0};

    put_dead(f, 60);
    assert_int_equal(take(f, 1, &err), CASB_ECONFLICT);
    assert_non_null(strstr(err.text, "'dead' since A, renewed B"));
    assert_holder(f, "dead");
}

static void waiting_can_be_cancelled(void **state)
{
    struct fixture *f = *state;
    _cleanup_(closep) int cancel_fd = eventfd(1, EFD_CLOEXEC);
    const struct casb_call call = {clock_now_ns() + 60 * CLOCK_S, cancel_fd};

    put_dead(f, 60);
    assert_int_equal(lease_take(f->lease, &call, note_lost, f, NULL), CASB_ECANCELLED);
}

/* What is cut off is done all the same, and found again. */
static void what_was_cut_off_is_withdrawn(void **state)
{
    static const struct {
        const char *before; /* NULL: no lease */
        struct memory_failure failure;
    } cases[] = {
        {NULL, {KUBE_POST, "leases", 1, CASB_ECANCELLED, 0, true}},
        {NULL, {KUBE_POST, "leases", 1, CASB_EUNREACHABLE, 0, true}},
        {"{'metadata':{'name':'mycas-backup'},'spec':{}}",
         {KUBE_PUT, "leases", 1, CASB_ECANCELLED, 0, true}},
        {"{'metadata':{'name':'mycas-backup'},'spec':{}}",
         {KUBE_PUT, "leases", 1, CASB_EUNREACHABLE, 0, true}},
    };
    struct fixture *f = *state;
    _cleanup_(closep) int cancel_fd = eventfd(1, EFD_CLOEXEC);
    const struct casb_call call = {clock_now_ns() + 60 * CLOCK_S, cancel_fd};

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        memory_kube_set(f->kube, OWN, cases[i].before);
        memory_kube_fail(f->kube, &cases[i].failure);
        assert_true(lease_take(f->lease, &call, note_lost, f, NULL) < 0);
        assert_holder(f, NULL);
    }
}

static void nothing_is_withdrawn_where_nothing_was_sent(void **state)
{
    static const int classes[] = {CASB_ECANCELLED, CASB_EUNREACHABLE, CASB_EDENIED};
    struct fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(classes); i++) {
        int64_t begun_ns = clock_now_ns();
        int asked = memory_kube_count(f->kube, KUBE_GET, "leases");

        memory_kube_fail(
            f->kube, &(struct memory_failure){KUBE_GET, "leases", -1, classes[i], 0, false, NULL});
        assert_int_equal(take(f, 10, NULL), classes[i]);
        assert_int_equal(memory_kube_count(f->kube, KUBE_GET, "leases"), asked + 1);
        assert_true(clock_now_ns() - begun_ns < 5 * CLOCK_S);
    }
}

static void a_create_whose_answer_was_lost_counts(void **state)
{
    struct fixture *f = *state;

    memory_kube_fail(f->kube,
                     &(struct memory_failure){KUBE_POST, "leases", 1, CASB_EUNREACHABLE, 0, true});
    assert_int_equal(take(f, 10, NULL), 0);
    assert_holder(f, "me");
    assert_int_equal(memory_kube_count(f->kube, KUBE_POST, "leases"), 1);
}

static void a_put_whose_answer_was_lost_counts(void **state)
{
    struct fixture *f = *state;

    memory_kube_set(f->kube, OWN, "{'metadata':{'name':'mycas-backup'},'spec':{}}");
    memory_kube_fail(f->kube,
                     &(struct memory_failure){KUBE_PUT, "leases", 1, CASB_ECONFLICT, 409, true});
    assert_int_equal(take(f, 10, NULL), 0);
    assert_holder(f, "me");
}

static void a_lost_race_is_a_conflict_at_the_next_look(void **state)
{
    struct fixture *f = *state;
    struct casb_error err = {0};
    int64_t begun_ns = clock_now_ns();

    memory_kube_fail(f->kube,
                     &(struct memory_failure){KUBE_GET, "leases", 1, CASB_ENOTFOUND, 404, false});
    put_dead(f, 60); /* came between our look and our create */
    assert_int_equal(take(f, 30, &err), CASB_ECONFLICT);
    assert_non_null(strstr(err.text, "'dead'"));
    assert_true(clock_now_ns() - begun_ns < 10 * CLOCK_S);
}

static void a_denied_request_is_an_error_with_its_reason(void **state)
{
    struct fixture *f = *state;
    struct casb_error err = {0};

    memory_kube_fail(f->kube,
                     &(struct memory_failure){KUBE_POST, "leases", 1, CASB_EDENIED, 403, false});
    assert_int_equal(take(f, 10, &err), CASB_EDENIED);
    assert_string_equal(err.text, "lease 'mycas-backup': it fails on request");
    assert_int_equal(err.http, 403);
    assert_holder(f, NULL);
}

static void a_create_that_never_answers_ends_with_its_reason(void **state)
{
    struct fixture *f = *state;
    struct casb_error err = {0};

    memory_kube_fail(
        f->kube, &(struct memory_failure){KUBE_POST, "leases", -1, CASB_EUNREACHABLE, 0, false});
    assert_int_equal(take(f, 1, &err), CASB_ETIMEOUT);
    assert_non_null(strstr(err.text, "it fails on request"));
}

/* As by a webhook, which calls it a conflict. */
static void what_refuses_to_have_it_taken_is_named(void **state)
{
    static const struct {
        const char *holder;
        int code;
        const char *text;
    } rows[] = {
        {"", CASB_ETIMEOUT, "lease 'mycas-backup': waiting for the lock: policy"},
        {"'holderIdentity':''", CASB_ETIMEOUT,
         "lease 'mycas-backup': waiting for the lock: policy"},
        {"'holderIdentity':'me'", CASB_ETIMEOUT,
         "lease 'mycas-backup': waiting for the lock: policy"},
        {"'holderIdentity':'dead','leaseDurationSeconds':1", CASB_ECONFLICT,
         "lease 'mycas-backup': another pass holds the lock: 'dead' since unknown, renewed never; "
         "before that: policy"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct casb_error err = {0};
        char text[256];

        snprintf(text, sizeof text, "{'metadata':{'name':'mycas-backup'},'spec':{%s}}",
                 rows[i].holder);
        memory_kube_set(f->kube, OWN, text);
        memory_kube_fail(f->kube, &(struct memory_failure){KUBE_PUT, "leases", -1, CASB_ECONFLICT,
                                                           409, false, "policy"});
        assert_int_equal(take(f, i < 3 ? 2 : 5, &err), rows[i].code);
        assert_string_equal(err.text, rows[i].text);
    }
}

static void one_that_admission_takes_from_us_is_an_error_and_goes(void **state)
{
    struct fixture *f = *state;
    struct casb_error err = {0};

    memory_kube_strip(f->kube, "cas-backup/instance");
    assert_int_equal(take(f, 10, &err), CASB_EFAILED);
    assert_string_equal(err.text, "lease 'mycas-backup': admission changed 'cas-backup/instance', "
                                  "by which it is found again");
    assert_holder(f, NULL);
    memory_kube_strip(f->kube, NULL);
    assert_int_equal(take(f, 10, NULL), 0);
}

/* ---- renewing */

static void it_is_renewed_while_it_is_held(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, 10, NULL), 0);
    memory_kube_wait(f->kube, KUBE_PUT, "leases", 4); /* longer than its duration */
    assert_int_equal(lease_check(f->lease, NULL), 0);
    assert_int_equal(sem_trywait(&f->lost), -1);
    give_back(f);
    assert_holder(f, NULL);
}

/* As where a connection has to be made to the second address of a name. */
static void one_that_took_long_to_take_or_renew_is_renewed_all_the_sooner(void **state)
{
    static const enum kube_verb slow[] = {KUBE_POST, KUBE_PUT};

    for (size_t i = 0; i < ELEMENTS(slow); i++) {
        struct fixture *f = *state;

        memory_kube_fail(f->kube,
                         &(struct memory_failure){
                             .verb = slow[i], .path = "leases", .times = 1, .delay_ms = 1200});
        assert_int_equal(take(f, 10, NULL), 0); /* it lasts for 3 s, and is given up after 2 */
        memory_kube_wait(f->kube, KUBE_PUT, "leases", 2);
        assert_int_equal(lease_check(f->lease, NULL), 0);
        assert_int_equal(sem_trywait(&f->lost), -1);
        give_back(f);
    }
}

static void an_edit_by_somebody_does_not_lose_it(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, 10, NULL), 0);
    memory_kube_fail(f->kube,
                     &(struct memory_failure){KUBE_PUT, "leases", 1, CASB_ECONFLICT, 409, false});
    memory_kube_wait(f->kube, KUBE_PUT, "leases", 3);
    assert_int_equal(lease_check(f->lease, NULL), 0);
    memory_kube_fail(
        f->kube, &(struct memory_failure){KUBE_DELETE, "leases", 1, CASB_ECONFLICT, 409, false});
    give_back(f);
    assert_holder(f, NULL);
}

static void a_request_that_hangs_does_not_lose_it(void **state)
{
    struct fixture *f = *state;

    lease_free(f->lease);
    assert_int_equal(lease_new(&f->host.host, f->kube, 6 * CLOCK_S, &f->lease, NULL), 0);
    assert_int_equal(take(f, 10, NULL), 0);
    memory_kube_fail(f->kube,
                     &(struct memory_failure){KUBE_GET, "leases", 1, CASB_ETIMEOUT, 0, false});
    memory_kube_wait(f->kube, KUBE_PUT, "leases", 1);
    assert_int_equal(lease_check(f->lease, NULL), 0);
    assert_int_equal(sem_trywait(&f->lost), -1);
}

static void one_that_somebody_removed_is_lost(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, 10, NULL), 0);
    memory_kube_set(f->kube, OWN, NULL);
    wait_until_lost(f);
    assert_string_equal(f->why, "lease 'mycas-backup': not found");
    assert_int_equal(lease_check(f->lease, NULL), CASB_ECONFLICT);
    give_back(f);
    assert_int_equal(sem_trywait(&f->lost), -1);
}

static void one_that_somebody_took_is_lost_and_left_alone(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, 10, NULL), 0);
    put_dead(f, 60);
    wait_until_lost(f);
    assert_string_equal(f->why, "lease 'mycas-backup': it is held by 'dead' since A, renewed B");
    give_back(f);
    assert_holder(f, "dead");
}

static void one_that_cannot_be_renewed_in_time_is_lost(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, 10, NULL), 0);
    memory_kube_fail(f->kube,
                     &(struct memory_failure){KUBE_GET, "leases", -1, CASB_EUNREACHABLE, 0, false});
    wait_until_lost(f);
    assert_string_equal(f->why, "lease 'mycas-backup' could not be renewed in time: it fails on "
                                "request");
    assert_int_equal(lease_check(f->lease, NULL), CASB_ECONFLICT);
    memory_kube_fail(f->kube, &(struct memory_failure){0});
    give_back(f);
    assert_holder(f, NULL);
}

static void what_kept_it_from_being_renewed_first_is_said(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, 10, NULL), 0);
    memory_kube_fail(f->kube,
                     &(struct memory_failure){KUBE_PUT, "leases", 1, CASB_EUNREACHABLE, 0, false});
    memory_kube_wait(f->kube, KUBE_PUT, "leases", 1);
    put_dead(f, 60);
    wait_until_lost(f);
    assert_string_equal(f->why, "lease 'mycas-backup': it is held by 'dead' since A, renewed B; "
                                "before that: it fails on request");
    give_back(f);
}

static void a_give_back_that_fails_says_so(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    struct casb_error err = {0};

    assert_int_equal(take(f, 10, NULL), 0);
    memory_kube_fail(f->kube,
                     &(struct memory_failure){KUBE_DELETE, "leases", -1, CASB_EDENIED, 403, false});
    assert_int_equal(lease_give_back(f->lease, &call, &err), CASB_EDENIED);
    assert_string_equal(err.text, "lease 'mycas-backup': it fails on request");
    assert_int_equal(lease_check(f->lease, NULL), CASB_EINVALID);
}

#define WITH_LEASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LEASE(a_lease_is_made_and_removed),
        WITH_LEASE(it_can_be_taken_again),
        WITH_LEASE(one_without_a_holder_is_taken_at_once),
        WITH_LEASE(that_of_a_dead_holder_is_taken_after_its_duration),
        WITH_LEASE(that_of_a_living_holder_is_a_conflict_soon),
        WITH_LEASE(without_time_to_wait_it_is_a_conflict_too),
        WITH_LEASE(waiting_can_be_cancelled),
        WITH_LEASE(what_was_cut_off_is_withdrawn),
        WITH_LEASE(nothing_is_withdrawn_where_nothing_was_sent),
        WITH_LEASE(a_create_whose_answer_was_lost_counts),
        WITH_LEASE(a_put_whose_answer_was_lost_counts),
        WITH_LEASE(a_lost_race_is_a_conflict_at_the_next_look),
        WITH_LEASE(a_denied_request_is_an_error_with_its_reason),
        WITH_LEASE(a_create_that_never_answers_ends_with_its_reason),
        WITH_LEASE(what_refuses_to_have_it_taken_is_named),
        WITH_LEASE(one_that_admission_takes_from_us_is_an_error_and_goes),
        WITH_LEASE(it_is_renewed_while_it_is_held),
        WITH_LEASE(one_that_took_long_to_take_or_renew_is_renewed_all_the_sooner),
        WITH_LEASE(an_edit_by_somebody_does_not_lose_it),
        WITH_LEASE(a_request_that_hangs_does_not_lose_it),
        WITH_LEASE(one_that_somebody_removed_is_lost),
        WITH_LEASE(one_that_somebody_took_is_lost_and_left_alone),
        WITH_LEASE(one_that_cannot_be_renewed_in_time_is_lost),
        WITH_LEASE(what_kept_it_from_being_renewed_first_is_said),
        WITH_LEASE(a_give_back_that_fails_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
