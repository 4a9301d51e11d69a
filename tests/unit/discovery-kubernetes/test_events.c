/* SPDX-License-Identifier: Apache-2.0 */
/* What is written into Events, and how many of them are made. */
#include "unit/unit.h"

#include "fake_kube.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "discovery-kubernetes/events.h"

#include <string.h>

#define NOON_S 1795608000 /* 2026-11-25T12:00:00Z */

static const struct casb_call call = {.deadline_ns = INT64_MAX, .cancel_fd = -1};
static const struct casb_host host = {
    .size = sizeof host, .instance = "cas", .holder = "pass-1_uid_1"};

struct setup {
    struct kube kube;
    struct events *events;
    struct casb_error err;
};

static int set_up(void **state)
{
    struct setup *s = calloc(1, sizeof *s);

    assert_non_null(s);
    fake_kube_init(&s->kube);
    assert_int_equal(events_new(&host, &s->kube, "backups", &s->events, &s->err), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct setup *s = *state;

    events_free(s->events);
    fake_kube_free(&s->kube);
    free(s);
    return 0;
}

static struct casb_news news(enum casb_outcome outcome, const char *message, uint32_t count)
{
    return (struct casb_news){.uid = "u1",
                              .name = "node-1",
                              .outcome = outcome,
                              .message = message,
                              .since = NOON_S,
                              .count = count};
}

/* The Event that was made of it, borrowed. */
static const json_t *tell(struct setup *s, enum casb_outcome outcome, const char *message,
                          uint32_t count)
{
    const struct casb_news told = news(outcome, message, count);

    assert_int_equal(events_tell(s->events, &call, &told, &s->err), 0);
    return json_array_get(s->kube.told, json_array_size(s->kube.told) - 1);
}

static void an_event_is_about_the_node_and_has_all_that_the_api_wants(void **state)
{
    static const struct {
        const char *path, *want;
    } rows[] = {
        {"apiVersion", "events.k8s.io/v1"},
        {"kind", "Event"},
        {"metadata.namespace", "default"},
        {"eventTime", "2026-11-25T12:00:00.000000Z"},
        {"reportingController", "cas-backup"},
        {"reportingInstance", "pass-1_uid_1"},
        {"action", "Register"},
        {"type", "Warning"},
        {"reason", "RegistrationFailed"},
        {"note", "backup 'cas': not registered: spawn: ErrImagePull"},
        {"regarding.apiVersion", "v1"},
        {"regarding.kind", "Node"},
        {"regarding.name", "node-1"},
        {"regarding.uid", "u1"},
    };
    struct setup *s = *state;
    const json_t *event = tell(s, CASB_OUTCOME_FAILED, "spawn: ErrImagePull", 1);

    for (size_t i = 0; i < ELEMENTS(rows); i++)
        assert_string_equal(jsonx_string(event, rows[i].path), rows[i].want);
    assert_null(json_object_get(event, "series"));
    assert_true(strncmp(jsonx_string(event, "metadata.name"), "cas-node-1.", 11) == 0);
}

static void where_default_does_not_do_they_are_made_in_kube_system(void **state)
{
    struct setup *s = *state;

    s->kube.refuses_default = true;
    for (size_t i = 1; i <= 3; i++) {
        assert_string_equal(
            jsonx_string(tell(s, CASB_OUTCOME_FAILED, "no", 1), "metadata.namespace"),
            "kube-system");
        assert_int_equal(json_array_size(s->kube.told), i);
    }
    assert_int_equal(s->kube.refused, 1);
}

static void each_outcome_has_its_reason(void **state)
{
    static const struct {
        enum casb_outcome outcome;
        const char *reason, *type;
    } rows[] = {
        {CASB_OUTCOME_REGISTERED, "Registered", "Normal"},
        {CASB_OUTCOME_FAILED, "RegistrationFailed", "Warning"},
        {CASB_OUTCOME_HARDWARE_CHANGED, "HardwareChanged", "Warning"},
        {CASB_OUTCOME_UNPROTECTED, "NotProtected", "Warning"},
    };
    struct setup *s = *state;

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const json_t *event = tell(s, rows[i].outcome, "why", 1);

        assert_string_equal(jsonx_string(event, "reason"), rows[i].reason);
        assert_string_equal(jsonx_string(event, "type"), rows[i].type);
        assert_non_null(strstr(jsonx_string(event, "note"), ": why"));
    }
    (void)tell(s, CASB_OUTCOME_DROPPED, "", 1); /* nobody looks at it any more */
    assert_int_equal(json_array_size(s->kube.told), ELEMENTS(rows));
}

static void what_repeats_is_a_series(void **state)
{
    const json_t *event = tell(*state, CASB_OUTCOME_FAILED, "no", 31);
    const char *last = jsonx_string(event, "series.lastObservedTime");

    assert_int_equal(jsonx_int(event, "series.count", 0), 31);
    assert_int_equal(strlen(last), strlen("2026-11-25T12:00:00.000000Z"));
    assert_true(strcmp(last, jsonx_string(event, "eventTime")) > 0);
}

static void a_note_is_cut_at_a_character(void **state)
{
    char message[2001];
    const char *note;

    for (size_t i = 0; i < 2000; i += 2)
        memcpy(message + i, "\xc3\xa4", 3); /* two bytes a character */
    for (size_t shift = 0; shift < 2; shift++) {
        uint32_t character;
        size_t len, step;

        note = jsonx_string(tell(*state, CASB_OUTCOME_FAILED, shift ? message + 2 : message, 1),
                            "note");
        len = strlen(note);
        assert_in_range(len, EVENTS_NOTE_BYTES - 4, EVENTS_NOTE_BYTES);
        for (size_t i = 0; i < len; i += step) {
            step = text_utf8(note + i, len - i, &character);
            assert_int_not_equal(step, 0);
        }
    }
}

static void a_pass_makes_25_and_one_of_what_there_was_more(void **state)
{
    struct setup *s = *state;
    const json_t *event;

    for (size_t i = 0; i < EVENTS_MAX; i++)
        (void)tell(s, CASB_OUTCOME_REGISTERED, "new", 1);
    assert_int_equal(events_end(s->events, &call, &s->err), 0);
    assert_int_equal(json_array_size(s->kube.told), EVENTS_MAX);
    for (size_t i = 0; i < 70; i++)
        (void)tell(s, CASB_OUTCOME_REGISTERED, "new", 1);
    (void)tell(s, CASB_OUTCOME_FAILED, "no", 1);
    assert_int_equal(json_array_size(s->kube.told), EVENTS_MAX);
    assert_int_equal(events_end(s->events, &call, &s->err), 0);
    assert_int_equal(json_array_size(s->kube.told), EVENTS_MAX + 1);
    event = json_array_get(s->kube.told, EVENTS_MAX);
    assert_string_equal(jsonx_string(event, "note"),
                        "backup 'cas': 71 more nodes in this pass have no Event: 70 Registered, 1 "
                        "RegistrationFailed");
    assert_string_equal(jsonx_string(event, "type"), "Warning");
    assert_string_equal(jsonx_string(event, "regarding.kind"), "Namespace");
    assert_string_equal(jsonx_string(event, "regarding.name"), "backups");
}

static void no_two_events_have_one_name(void **state)
{
    struct setup *s = *state;
    json_auto_t *names = json_object();

    for (size_t i = 0; i < EVENTS_MAX; i++)
        json_object_set_new(
            names, jsonx_string(tell(s, CASB_OUTCOME_REGISTERED, "new", 1), "metadata.name"),
            json_null());
    assert_int_equal(json_object_size(names), EVENTS_MAX);
}

static void what_would_fail_for_all_is_tried_once(void **state)
{
    static const struct {
        int class;
        bool shared;
    } rows[] = {
        {CASB_EDENIED, true},   {CASB_EUNREACHABLE, true}, {CASB_ETIMEOUT, true},
        {CASB_EINVALID, false}, {CASB_ECONFLICT, false},
    };
    struct setup *s = *state;

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const struct casb_news told = news(CASB_OUTCOME_FAILED, "no", 1);
        struct casb_error err = {0};

        events_free(s->events);
        assert_int_equal(events_new(&host, &s->kube, "backups", &s->events, &s->err), 0);
        s->kube.tell_fails = rows[i].class;
        assert_int_equal(events_tell(s->events, &call, &told, &err), rows[i].class);
        assert_int_equal(strstr(err.text, "no further ones") != NULL, rows[i].shared);
        assert_int_equal(events_tell(s->events, &call, &told, &s->err),
                         rows[i].shared ? 0 : rows[i].class);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_is_about_the_node_and_has_all_that_the_api_wants),
        TEST(where_default_does_not_do_they_are_made_in_kube_system),
        TEST(each_outcome_has_its_reason),
        TEST(what_repeats_is_a_series),
        TEST(a_note_is_cut_at_a_character),
        TEST(a_pass_makes_25_and_one_of_what_there_was_more),
        TEST(no_two_events_have_one_name),
        TEST(what_would_fail_for_all_is_tried_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
