/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "discovery-kubernetes/taints.h"

#include "base/cleanup.h"

static const struct {
    const char *toleration;
    struct taint taint;
    bool match;
} table[] = {
    {"{'key':'foo','operator':'Exists','effect':'NoSchedule'}", {"foo", "", "NoSchedule"}, true},
    {"{'key':'foo','operator':'Exists','effect':'NoSchedule'}", {"foo", "bar", "NoSchedule"}, true},
    {"{'operator':'Exists','effect':'NoSchedule'}", {"foo", "bar", "NoSchedule"}, true},
    {"{'key':'foo','operator':'Equal','value':'bar','effect':'NoSchedule'}",
     {"foo", "bar", "NoSchedule"},
     true},
    {"{'key':'foo','value':'bar','effect':'NoSchedule'}", {"foo", "bar", "NoSchedule"}, true},
    {"{'key':'foo','operator':'','value':'bar','effect':'NoSchedule'}",
     {"foo", "bar", "NoSchedule"},
     true},
    {"{'key':'key1','operator':'Equal','value':'value1','effect':'NoSchedule'}",
     {"key1", "value2", "NoSchedule"},
     false},
    {"{'key':'key1','operator':'Exists'}", {"key2", "", "NoSchedule"}, false},
    {"{'key':'foo','operator':'Equal','value':'bar','effect':'NoExecute'}",
     {"foo", "bar", "NoSchedule"},
     false},
    {"{'key':'foo','operator':'Equal','value':'bar'}", {"foo", "bar", "NoExecute"}, true},
    {"{'key':'foo','operator':'Equal','value':'bar','effect':''}",
     {"foo", "bar", "NoExecute"},
     true},
    {"{'operator':'Exists'}", {"any.thing/at-all", "x", "NoExecute"}, true},
    {"{'key':'foo','operator':'Equal','effect':'NoSchedule'}", {"foo", "", "NoSchedule"}, true},
    {"{'key':'foo','operator':'Equal','effect':'NoSchedule'}", {"foo", "bar", "NoSchedule"}, false},
    {"{'key':'foo','operator':'In','value':'bar','effect':'NoSchedule'}",
     {"foo", "bar", "NoSchedule"},
     false},
    {"{'key':'foo','operator':'Gt','value':'750'}", {"foo", "950", "NoSchedule"}, false},
    {"{'key':'foo','operator':'Lt','value':'950'}", {"foo", "800", "NoSchedule"}, false},
    {"{'key':'foo','operator':'Exists','effect':'NoExecute','tolerationSeconds':1}",
     {"foo", "", "NoExecute"},
     true},
    {"{'key':1,'operator':'Exists'}", {"foo", "", "NoSchedule"}, true},
};

/* JSON with ' for ", in an array. */
static json_t *array_of(const char *text)
{
    char json[512];
    json_t *array;

    snprintf(json, sizeof json, "[%s]", text);
    for (char *p = json; *p; p++) {
        if (*p == '\'')
            *p = '"';
    }
    array = json_loads(json, 0, NULL);
    assert_non_null(array);
    return array;
}

static void tolerations_match_as_in_kubernetes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        json_auto_t *tolerations = array_of(table[i].toleration);

        if (taint_is_tolerated(&table[i].taint, tolerations) != table[i].match)
            fail_msg("%s on %s=%s:%s", table[i].toleration, table[i].taint.key,
                     table[i].taint.value, table[i].taint.effect);
    }
}

static void one_of_several_tolerations_is_enough(void **state)
{
    json_auto_t *both = array_of("{'key':'a','operator':'Exists'},{'key':'b','operator':'Exists'}");
    const struct taint b = {"b", "", "NoSchedule"}, c = {"c", "", "NoSchedule"};

    (void)state;
    assert_true(taint_is_tolerated(&b, both));
    assert_false(taint_is_tolerated(&c, both));
    assert_false(taint_is_tolerated(&b, NULL));
}

static void the_first_untolerated_taint_is_named(void **state)
{
    json_auto_t *taints = array_of("{'key':'soft','effect':'PreferNoSchedule'},"
                                   "{'key':'a','effect':'NoSchedule'},"
                                   "{'key':'b','effect':'NoExecute'}");
    json_auto_t *a = array_of("{'key':'a','operator':'Exists'}");
    json_auto_t *all = array_of("{'operator':'Exists'}");

    (void)state;
    assert_string_equal(taint_find_untolerated(taints, NULL), "a");
    assert_string_equal(taint_find_untolerated(taints, a), "b");
    assert_null(taint_find_untolerated(taints, all));
    assert_null(taint_find_untolerated(NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tolerations_match_as_in_kubernetes),
        cmocka_unit_test(one_of_several_tolerations_is_enough),
        cmocka_unit_test(the_first_untolerated_taint_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
