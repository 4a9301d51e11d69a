/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/jsonx.h"
#include "discovery-kubernetes/discovery.h"
#include "discovery-kubernetes/words.h"
#include "fake_kube.h"

static void keep(const struct casb_host *host, enum casb_level level, const char *node,
                 const char *text)
{
    assert_int_equal(level, CASB_DEBUG);
    assert_int_equal(buf_printf(host->arg, "%s: %s\n", node, text), 0);
}

/* What is logged of node-1's pod, whose log is `log` in the fake API. */
static void logged(json_t *log, struct buf *said)
{
    const struct casb_call call = {INT64_MAX, -1};
    const struct casb_node node = {.uid = "u1", .name = "node-1"};
    const struct casb_host host = {.instance = "mycas", .arg = said, .log = keep};
    json_auto_t *sample =
        jsonx_new("{s:{s:[{s:s}, {s:s}]}}", "spec", "containers", "name", "cas", "name", "other");
    struct kube kube;
    struct discovery d = {.host = &host,
                          .kube = &kube,
                          .sample = sample,
                          .plan = {.instance = "mycas", .namespace = "ns"}};

    fake_kube_init(&kube);
    if (log)
        json_object_set_new(kube.logs, "mycas-node-1/cas", log);
    words_log(&d, &call, &node);
    assert_int_equal(kube.texts, 1);
    fake_kube_free(&kube);
}

static void the_last_lines_are_logged(void **state)
{
    static const struct {
        const char *log, *want;
    } rows[] = {
        {"", ""},
        {"\n", ""},
        {"one", "node-1: its backup CAS said: one\n"},
        {"one\n\ntwo\n", "node-1: its backup CAS said: one\nnode-1: its backup CAS said: two\n"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        _cleanup_(buf_free) struct buf said = BUF_INIT(65536);

        logged(json_string(rows[i].log), &said);
        assert_string_equal(buf_text(&said), rows[i].want);
    }
}

static void of_many_only_the_last_are(void **state)
{
    _cleanup_(buf_free) struct buf log = BUF_INIT(65536), said = BUF_INIT(65536);

    (void)state;
    for (int i = 1; i <= 100; i++)
        assert_int_equal(buf_printf(&log, "line %d\n", i), 0);
    logged(json_string(buf_text(&log)), &said);
    assert_null(strstr(buf_text(&said), "line 80\n"));
    assert_non_null(strstr(buf_text(&said), "line 81\n"));
    assert_non_null(strstr(buf_text(&said), "line 100\n"));
}

static void why_there_are_none_is_said(void **state)
{
    _cleanup_(buf_free) struct buf said = BUF_INIT(65536);

    (void)state;
    logged(json_null(), &said);
    assert_non_null(
        strstr(buf_text(&said), "node-1: the log of pod 'mycas-node-1' is not shown: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_lines_are_logged),
        cmocka_unit_test(of_many_only_the_last_are),
        cmocka_unit_test(why_there_are_none_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
