/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "fake_api.h"

#include "base/clock.h"

#define ITEM(uid) "{\"metadata\":{\"name\":\"n-" uid "\",\"uid\":\"" uid "\"}}"
#define META(version, token)                                                                       \
    "\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" token "\"}"
#define PAGE(version, token, items)                                                                \
    "{\"kind\":\"NodeList\"," META(version, token) ",\"items\":[" items "]}"
#define GONE(token)                                                                                \
    "{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":410,\"reason\":\"Expired\","             \
    "\"message\":\"The provided continue parameter is too old\",\"metadata\":{" token "}}"

int __wrap_clock_sleep(const struct casb_call *call, int64_t ns);
int __wrap_clock_sleep(const struct casb_call *call, int64_t ns)
{
    (void)call;
    (void)ns;
    return 0;
}

/* What a list gave: the uids, with a space behind each. */
struct got {
    char uids[256];
    int stop_at; /* this many items end it, with 7 */
    int items;
};

static int take(const json_t *item, void *arg)
{
    struct got *got = arg;
    const char *uid = json_string_value(json_object_get(json_object_get(item, "metadata"), "uid"));
    size_t len = strlen(got->uids);

    snprintf(got->uids + len, sizeof got->uids - len, "%s ", uid ? uid : "-");
    return ++got->items == got->stop_at ? 7 : 0;
}

struct trial {
    int result;
    const char *uids, *version;
    size_t requests;
    const char *text;
    int stop_at;
};

static void try_script(const struct fake_reply *script, size_t count, const struct trial *want)
{
    const struct kube_query query[] = {{"labelSelector", "a=b"}, {NULL, NULL}};
    struct fake_api *api = fake_api_start(script, count);
    struct kube *kube = fake_api_client(api, "{token: t0ken}");
    struct casb_call call = fake_call();
    struct casb_error err = {0};
    struct got got = {.stop_at = want->stop_at};
    char version[KUBE_VERSION_BYTES] = "untouched";
    int r = kube_list(kube, &call, "/api/v1/nodes", query, take, &got, version, &err);

    if (r != want->result || strcmp(got.uids, want->uids) ||
        fake_api_count(api) != want->requests || strcmp(version, r ? "untouched" : want->version) ||
        (want->text && !strstr(err.text, want->text)))
        fail_msg("got %d '%s' %s, %zu requests: %s", r, got.uids, version, fake_api_count(api),
                 err.text);
    for (size_t i = 0; i < fake_api_count(api); i++)
        assert_non_null(
            strstr(fake_api_request(api, i)->line, "GET /api/v1/nodes?labelSelector=a%3Db&limit="));
    kube_close(kube);
    fake_api_stop(api);
}

#define TRY(script, ...) try_script(script, ELEMENTS(script), &(struct trial){__VA_ARGS__})

static void pages_are_joined_and_the_version_is_the_first_ones(void **state)
{
    static const struct fake_reply script[] = {{200, PAGE("5", "t/1", ITEM("a") "," ITEM("b"))},
                                               {200, PAGE("5", "t2", ITEM("c"))},
                                               {200, PAGE("5", "", ITEM("d"))}};
    struct fake_api *api = FAKE_API(script);
    struct kube *kube = fake_api_client(api, "{token: t0ken}");
    struct casb_call call = fake_call();
    struct got got = {0};
    char version[KUBE_VERSION_BYTES];

    (void)state;
    assert_int_equal(kube_list(kube, &call, "/api/v1/nodes", NULL, take, &got, version, NULL), 0);
    assert_string_equal(got.uids, "a b c d ");
    assert_string_equal(version, "5");
    assert_null(strstr(fake_api_request(api, 0)->line, "continue"));
    assert_non_null(strstr(fake_api_request(api, 1)->line, "&continue=t%2F1"));
    assert_non_null(strstr(fake_api_request(api, 2)->line, "&continue=t2"));
    kube_close(kube);
    fake_api_stop(api);
}

static void no_items_at_all_are_fine(void **state)
{
    static const struct fake_reply none[] = {{200, PAGE("5", "", "")}};
    static const struct fake_reply null[] = {{200, "{" META("5", "") ",\"items\":null}"}};

    (void)state;
    TRY(none, 0, "", "5", 1);
    TRY(null, 0, "", "5", 1);
}

static void an_empty_page_with_a_token_is_not_the_last(void **state)
{
    static const struct fake_reply script[] = {{200, PAGE("5", "t", "")},
                                               {200, PAGE("5", "", ITEM("a"))}};

    (void)state;
    TRY(script, 0, "a ", "5", 2);
}

static void metadata_may_stand_behind_the_items_and_white_space_anywhere(void **state)
{
    static const struct fake_reply script[] = {
        {200, " {\n \"items\" : [ " ITEM("a") " ,\n" ITEM(
                  "b") " ] , \"x\" : [[{}], \"]\"] ,\n " META("5", "") "} \n"}};

    (void)state;
    TRY(script, 0, "a b ", "5", 1);
}

static void pages_that_lead_nowhere_are_no_list(void **state)
{
    static const struct fake_reply empty[] = {{200, PAGE("5", "t", "")}, {200, PAGE("5", "t", "")},
                                              {200, PAGE("5", "t", "")}, {200, PAGE("5", "t", "")},
                                              {200, PAGE("5", "t", "")}, {200, PAGE("5", "", "")}};
    static const struct fake_reply known[] = {
        {200, PAGE("5", "t", ITEM("a"))}, {200, PAGE("5", "t", ITEM("a"))},
        {200, PAGE("5", "t", ITEM("a"))}, {200, PAGE("5", "t", ITEM("a"))},
        {200, PAGE("5", "t", ITEM("a"))}, {200, PAGE("5", "", ITEM("b"))}};
    static const struct fake_reply slow[] = {
        {200, PAGE("5", "t", "")}, {200, PAGE("5", "t", "")},      {200, PAGE("5", "t", ITEM("a"))},
        {200, PAGE("5", "t", "")}, {200, PAGE("5", "t", "")},      {200, PAGE("5", "u", "")},
        {200, PAGE("5", "v", "")}, {200, PAGE("5", "", ITEM("b"))}};

    (void)state;
    TRY(empty, CASB_EINVALID, "", "", 5, "GET /api/v1/nodes: the list has no end");
    TRY(known, CASB_EINVALID, "a ", "", 5, "the list has no end");
    TRY(slow, 0, "a b ", "5", 8);
}

static void a_410_with_a_fresh_token_goes_on(void **state)
{
    static const struct fake_reply script[] = {{200, PAGE("5", "old", ITEM("a") "," ITEM("b"))},
                                               {410, GONE("\"continue\":\"fresh\"")},
                                               {200, PAGE("9", "", ITEM("b") "," ITEM("c"))}};

    (void)state;
    TRY(script, 0, "a b c ", "5", 3);
}

static void a_410_without_a_token_starts_over_and_repeats_nothing(void **state)
{
    static const struct fake_reply script[] = {{200, PAGE("5", "old", ITEM("a") "," ITEM("b"))},
                                               {410, GONE("")},
                                               {200, PAGE("9", "new", ITEM("a") "," ITEM("b"))},
                                               {200, PAGE("9", "", ITEM("c"))}};

    (void)state;
    TRY(script, 0, "a b c ", "5", 4);
}

static void a_token_that_is_refused_starts_over(void **state)
{
    static const struct fake_reply script[] = {
        {200, PAGE("5", "old", ITEM("a"))},
        {400, "{\"kind\":\"Status\",\"message\":\"continue key is not valid\"}"},
        {200, PAGE("9", "", ITEM("a") "," ITEM("b"))}};

    (void)state;
    TRY(script, 0, "a b ", "5", 3);
}

static void a_410_on_the_first_page_is_the_callers(void **state)
{
    static const struct fake_reply script[] = {{410, GONE("\"continue\":\"x\"")}};

    (void)state;
    TRY(script, CASB_ECONFLICT, "", "", 1, "too old");
}

static void starting_over_without_anything_new_ends(void **state)
{
    static const struct fake_reply script[] = {{200, PAGE("5", "t", ITEM("a"))}, {410, GONE("")},
                                               {200, PAGE("6", "t", ITEM("a"))}, {410, GONE("")},
                                               {200, PAGE("7", "t", ITEM("a"))}, {410, GONE("")},
                                               {200, PAGE("8", "t", ITEM("a"))}, {410, GONE("")}};

    (void)state;
    TRY(script, CASB_ECONFLICT, "a ", "", 8, "too old");
}

static void why_it_started_over_is_said_when_it_fails(void **state)
{
    static const struct fake_reply script[] = {
        {200, PAGE("5", "t", ITEM("a"))}, {410, GONE("")}, {403, "no"}};

    (void)state;
    TRY(script, CASB_EDENIED, "a ", "", 3,
        "no (HTTP 403); before that: The provided continue parameter is too old");
}

static void a_page_is_tried_again_and_given_once(void **state)
{
    static const struct fake_reply script[] = {
        {200, PAGE("5", "t", ITEM("a"))},
        {.status = 200, .body = "{" META("5", "") ",\"items\":[" ITEM("b"), .cut = true},
        {500, ""},
        {200, PAGE("5", "", ITEM("b"))}};

    (void)state;
    TRY(script, 0, "a b ", "5", 4);
}

/* A server that closes the connection at the end tells no length. */
static void a_page_without_its_end_is_asked_for_again(void **state)
{
    static const struct fake_reply once[] = {{200, PAGE("5", "t", ITEM("a"))},
                                             {200, "{" META("5", "") ",\"items\":[" ITEM("b") ","},
                                             {200, ""},
                                             {200, PAGE("5", "", ITEM("b") "," ITEM("c"))}};
    static const struct fake_reply always[] = {
        {200, ""}, {200, "{"}, {200, "{" META("5", "")}, {200, "{\"items\":[]"}, {200, ""}};

    (void)state;
    TRY(once, 0, "a b c ", "5", 4);
    TRY(always, CASB_EINVALID, "", "", 4, "GET /api/v1/nodes: the answer is no list");
}

static void items_without_uid_are_all_given(void **state)
{
    static const struct fake_reply script[] = {{200, PAGE("5", "", "{},{}")}};

    (void)state;
    TRY(script, 0, "- - ", "5", 1);
}

static void an_item_that_no_object_can_be_is_an_error(void **state)
{
    size_t len = 2 * 1024 * 1024;
    char *page = calloc(1, len + 200);
    const struct fake_reply script[] = {{200, page}};
    size_t head;

    (void)state;
    assert_non_null(page);
    head = (size_t)snprintf(page, 100, "{%s,\"items\":[{\"a\":\"", META("5", ""));
    memset(page + head, 'x', len);
    memcpy(page + head + len, "\"}]}", 5);
    TRY(script, CASB_EINVALID, "", "untouched", 1, "an item of the list is larger than any object");
    free(page);
}

/* What a container wrote, a termination message say, may hold any character. */
static void a_nul_in_an_item_ends_nothing(void **state)
{
    static const struct fake_reply script[] = {
        {200, PAGE("5", "", "{\"status\":{\"message\":\"\\u0000\"}}," ITEM("a"))}};

    (void)state;
    TRY(script, 0, "- a ", "5", 1);
}

static void the_caller_can_stop(void **state)
{
    static const struct fake_reply script[] = {{200, PAGE("5", "t", ITEM("a") "," ITEM("b"))}};

    (void)state;
    TRY(script, 7, "a ", "", 1, .stop_at = 1);
}

static void what_is_no_list_is_an_error(void **state)
{
    static const char *const bodies[] = {
        "[]",
        "{}",
        "{\"items\":[]}",
        "<html>",
        "{" META("5", "") ",\"items\":{}}",
        "{" META("5", "") ",\"items\":[1,}",
        "{" META("5", "") ",\"items\":[{]}",
        "{" META("5", "") ",\"items\":[,]}",
        "{" META("5", "") ",\"items\":[{\"a\":1,}]}",
        "{" META("5", "") ",\"items\":[]} x",
        "{\"kind\":\"Status\"," META("5", "") ",\"status\":\"Failure\",\"code\":401}",
        "{" META("5", "") ",\"kind\":\"Status\"}",
        "{\"kind\":\"Node\"," META("5", "") ",\"items\":[]}",
        "{\"kind\":null," META("5", "") ",\"items\":[]}",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(bodies); i++)
        try_script(&(struct fake_reply){200, bodies[i]}, 1,
                   &(struct trial){CASB_EINVALID, "", "", 1, "GET /api/v1/nodes"});
}

static void what_says_what_it_is_in_place_of_a_list_is_quoted(void **state)
{
    static const struct fake_reply script[] = {
        {200, "{\"kind\":\"Status\",\"metadata\":{},\"status\":\"Failure\",\"code\":401}"}};

    (void)state;
    TRY(script, CASB_EINVALID, "", "", 1, "the answer is a 'Status', no list");
}

static void refusals_are_the_callers(void **state)
{
    static const struct fake_reply script[] = {
        {200, PAGE("5", "t", ITEM("a"))},
        {403, "{\"kind\":\"Status\",\"message\":\"nodes is forbidden\",\"reason\":\"Forbidden\"}"}};

    (void)state;
    TRY(script, CASB_EDENIED, "a ", "", 2, "nodes is forbidden");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_joined_and_the_version_is_the_first_ones),
        cmocka_unit_test(no_items_at_all_are_fine),
        cmocka_unit_test(an_empty_page_with_a_token_is_not_the_last),
        cmocka_unit_test(metadata_may_stand_behind_the_items_and_white_space_anywhere),
        cmocka_unit_test(pages_that_lead_nowhere_are_no_list),
        cmocka_unit_test(a_410_with_a_fresh_token_goes_on),
        cmocka_unit_test(a_410_without_a_token_starts_over_and_repeats_nothing),
        cmocka_unit_test(a_token_that_is_refused_starts_over),
        cmocka_unit_test(a_410_on_the_first_page_is_the_callers),
        cmocka_unit_test(starting_over_without_anything_new_ends),
        cmocka_unit_test(why_it_started_over_is_said_when_it_fails),
        cmocka_unit_test(a_page_is_tried_again_and_given_once),
        cmocka_unit_test(a_page_without_its_end_is_asked_for_again),
        cmocka_unit_test(items_without_uid_are_all_given),
        cmocka_unit_test(an_item_that_no_object_can_be_is_an_error),
        cmocka_unit_test(a_nul_in_an_item_ends_nothing),
        cmocka_unit_test(the_caller_can_stop),
        cmocka_unit_test(what_is_no_list_is_an_error),
        cmocka_unit_test(what_says_what_it_is_in_place_of_a_list_is_quoted),
        cmocka_unit_test(refusals_are_the_callers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
