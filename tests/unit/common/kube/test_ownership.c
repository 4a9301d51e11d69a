/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "common/kube/ownership.h"

#include "base/jsonx.h"

/* From JSON with ' for ". */
static json_t *json(const char *text)
{
    _cleanup_(freep) char *copy = strdup(text);
    json_t *value;

    assert_non_null(copy);
    for (char *c = copy; (c = strchr(c, '\''));)
        *c = '"';
    value = json_loads(copy, 0, NULL);
    assert_non_null(value);
    return value;
}

#define OWN(instance, component)                                                                   \
    "'cas-backup/instance':'" instance "','cas-backup/component':'" component "'"
#define KNOWN(instance, component, manager)                                                        \
    "'app.kubernetes.io/instance':'" instance "','app.kubernetes.io/component':'" component        \
    "','app.kubernetes.io/managed-by':'" manager "'"

static void labels_of_our_own_decide_and_else_those_of_the_version_before(void **state)
{
    static const struct {
        const char *labels;
        bool ours;
    } cases[] = {
        {"{" OWN("i", "c") "}", true},
        {"{" OWN("i", "c") "," KNOWN("x", "x", "x") "}", true},
        {"{" OWN("x", "c") "," KNOWN("i", "c", "cas-backup") "}", false},
        {"{" OWN("i", "x") "," KNOWN("i", "c", "cas-backup") "}", false},
        {"{'cas-backup/instance':'i'}", false},
        {"{'cas-backup/component':'c'}", false},
        {"{" KNOWN("i", "c", "cas-backup") "}", true},
        {"{" KNOWN("i", "c", "platform-team") "}", false},
        {"{" KNOWN("x", "c", "cas-backup") "}", false},
        {"{" KNOWN("i", "x", "cas-backup") "}", false},
        {"{'app.kubernetes.io/instance':'i'}", false},
        {"{'cas-backup/instance':7}", false},
        {"{}", false},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        json_auto_t *object = json_pack("{s:{s:o}}", "metadata", "labels", json(cases[i].labels));

        if (ownership_is(object, "i", "c") != cases[i].ours)
            fail_msg("%s", cases[i].labels);
    }
}

static void what_is_marked_is_found_and_ours(void **state)
{
    json_auto_t *labels = NULL;
    json_auto_t *object = NULL;

    (void)state;
    assert_int_equal(ownership_labels("i", "c", &labels, NULL), 0);
    assert_int_equal(json_object_size(labels), 6);
    object = json_pack("{s:{s:O}}", "metadata", "labels", labels);
    assert_true(ownership_is(object, "i", "c"));
    json_object_del(labels, "cas-backup/instance");
    assert_true(ownership_is(object, "i", "c"));
}

static void each_selector_finds_its_own(void **state)
{
    char selector[OWNERSHIP_SELECTOR_BYTES];

    (void)state;
    assert_string_equal(ownership_selector(selector, "i", "c"),
                        "cas-backup/instance=i,cas-backup/component=c");
    assert_string_equal(ownership_selector_before(selector, "i", "c"),
                        "app.kubernetes.io/instance=i,app.kubernetes.io/managed-by=cas-backup,"
                        "app.kubernetes.io/component=c,!cas-backup/instance");
}

static void what_admission_changed_is_named(void **state)
{
    static const char sent[] =
        "{'metadata':{'labels':{'cas-backup/instance':'i','app.kubernetes.io/managed-by':'c'},"
        "'annotations':{'cas-backup/holder':'h'}}}";
    static const struct {
        const char *made, *lost;
    } cases[] = {
        {sent, NULL},
        {"{'metadata':{'labels':{'cas-backup/instance':'i','app.kubernetes.io/managed-by':'x',"
         "'more':'y'},'annotations':{'cas-backup/holder':'h','x':'y'}}}",
         NULL},
        {"{'metadata':{'labels':{'cas-backup/instance':'x'},"
         "'annotations':{'cas-backup/holder':'h'}}}",
         "cas-backup/instance"},
        {"{'metadata':{'labels':{'cas-backup/instance':'i'}}}", "cas-backup/holder"},
        {"{'metadata':{}}", "cas-backup/instance"},
        {"{}", "cas-backup/instance"},
    };
    json_auto_t *before = json(sent);

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        json_auto_t *made = json(cases[i].made);
        const char *lost = ownership_find_lost(before, made);

        if (!lost != !cases[i].lost || (lost && strcmp(lost, cases[i].lost) != 0))
            fail_msg("%s gave %s", cases[i].made, lost ? lost : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_of_our_own_decide_and_else_those_of_the_version_before),
        cmocka_unit_test(what_is_marked_is_found_and_ours),
        cmocka_unit_test(each_selector_finds_its_own),
        cmocka_unit_test(what_admission_changed_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
