/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "discovery-kubernetes/affinity.h"

#include "base/jsonx.h"

/* The node of all cases. */
#define NODE                                                                                       \
    "{'metadata':{'name':'n1','labels':{'os':'linux','gen':'7','neg':'-3','plus':'+5',"            \
    "'big':'9223372036854775807','huge':'9223372036854775808','float':'1.5','blank':' 7',"         \
    "'empty':'','a.b/c':'d'}}}"

#define TERM(expressions) "[{'matchExpressions':[" expressions "]}]"
#define FIELD(op, values)                                                                          \
    "[{'matchFields':[{'key':'metadata.name','operator':'" op "','values':[" values "]}]}]"
#define WITH(key, op, values) "{'key':'" key "','operator':'" op "','values':[" values "]}"

static const struct {
    const char *selector, *terms;
    bool allowed;
} table[] = {
    {NULL, NULL, true},
    {"{}", "[]", true},
    /* the selector: every label */
    {"{'os':'linux'}", NULL, true},
    {"{'os':'windows'}", NULL, false},
    {"{'os':'Linux'}", NULL, false},
    {"{'os':'linux','gen':'7'}", NULL, true},
    {"{'os':'linux','gen':'8'}", NULL, false},
    {"{'absent':''}", NULL, false},
    {"{'empty':''}", NULL, true},
    {"{'a.b/c':'d'}", NULL, true},
    {"{'os':true}", NULL, true}, /* the API refuses it */
    /* In, NotIn */
    {NULL, TERM(WITH("os", "In", "'windows','linux'")), true},
    {NULL, TERM(WITH("os", "In", "'windows'")), false},
    {NULL, TERM(WITH("absent", "In", "'x'")), false},
    {NULL, TERM(WITH("absent", "In", "''")), false},
    {NULL, TERM(WITH("empty", "In", "''")), true},
    {NULL, TERM(WITH("os", "NotIn", "'windows'")), true},
    {NULL, TERM(WITH("os", "NotIn", "'windows','linux'")), false},
    {NULL, TERM(WITH("absent", "NotIn", "'x'")), true},
    {NULL, TERM(WITH("empty", "NotIn", "''")), false},
    /* Exists, DoesNotExist */
    {NULL, TERM("{'key':'os','operator':'Exists'}"), true},
    {NULL, TERM("{'key':'empty','operator':'Exists'}"), true},
    {NULL, TERM("{'key':'absent','operator':'Exists'}"), false},
    {NULL, TERM("{'key':'absent','operator':'DoesNotExist'}"), true},
    {NULL, TERM("{'key':'os','operator':'DoesNotExist'}"), false},
    {NULL, TERM("{'key':'empty','operator':'DoesNotExist'}"), false},
    /* Gt, Lt: whole numbers of 64 bits */
    {NULL, TERM(WITH("gen", "Gt", "'6'")), true},
    {NULL, TERM(WITH("gen", "Gt", "'7'")), false},
    {NULL, TERM(WITH("gen", "Gt", "'10'")), false},
    {NULL, TERM(WITH("gen", "Lt", "'10'")), true},
    {NULL, TERM(WITH("gen", "Lt", "'7'")), false},
    {NULL, TERM(WITH("gen", "Lt", "'-1'")), false},
    {NULL, TERM(WITH("neg", "Lt", "'0'")), true},
    {NULL, TERM(WITH("neg", "Gt", "'-4'")), true},
    {NULL, TERM(WITH("plus", "Gt", "'4'")), true},
    {NULL, TERM(WITH("gen", "Gt", "'06'")), true},
    {NULL, TERM(WITH("big", "Gt", "'9223372036854775806'")), true},
    {NULL, TERM(WITH("huge", "Gt", "'1'")), false},
    {NULL, TERM(WITH("float", "Gt", "'1'")), false},
    {NULL, TERM(WITH("float", "Lt", "'2'")), false},
    {NULL, TERM(WITH("blank", "Gt", "'1'")), false},
    {NULL, TERM(WITH("os", "Gt", "'1'")), false},
    {NULL, TERM(WITH("empty", "Lt", "'1'")), false},
    {NULL, TERM(WITH("absent", "Gt", "'1'")), false},
    {NULL, TERM(WITH("absent", "Lt", "'1'")), false},
    /* requirements of a term: all of them */
    {NULL, TERM(WITH("os", "In", "'linux'") "," WITH("gen", "In", "'7'")), true},
    {NULL, TERM(WITH("os", "In", "'linux'") "," WITH("gen", "In", "'8'")), false},
    {NULL, TERM(WITH("os", "In", "'linux'") "," WITH("os", "NotIn", "'linux'")), false},
    /* terms: one of them */
    {NULL,
     "[{'matchExpressions':[" WITH("os", "In", "'windows'") "]},"
                                                            "{'matchExpressions':[" WITH(
                                                                "gen", "In", "'7'") "]}]",
     true},
    {NULL,
     "[{'matchExpressions':[" WITH("os", "In", "'windows'") "]},"
                                                            "{'matchExpressions':[" WITH(
                                                                "gen", "In", "'8'") "]}]",
     false},
    /* an empty term matches nothing */
    {NULL, "[{}]", false},
    {NULL, "[{'matchExpressions':[],'matchFields':[]}]", false},
    {NULL, "[{},{'matchExpressions':[" WITH("gen", "In", "'7'") "]}]", true},
    /* fields */
    {NULL, FIELD("In", "'n1'"), true},
    {NULL, FIELD("In", "'n2'"), false},
    {NULL, FIELD("NotIn", "'n1'"), false},
    {NULL, FIELD("NotIn", "'n2'"), true},
    {NULL,
     "[{'matchFields':[{'key':'metadata.name','operator':'In','values':['n1']}],"
     "'matchExpressions':[" WITH("os", "In", "'windows'") "]}]",
     false},
    {NULL,
     "[{'matchFields':[{'key':'metadata.name','operator':'In','values':['n2']}],"
     "'matchExpressions':[" WITH("os", "In", "'linux'") "]}]",
     false},
    /* selector and terms: both */
    {"{'os':'linux'}", FIELD("In", "'n1'"), true},
    {"{'os':'windows'}", FIELD("In", "'n1'"), false},
    {"{'os':'linux'}", FIELD("In", "'n2'"), false},
    /* what the API refuses is for it to say */
    {NULL, TERM(WITH("os", "Near", "'linux'")), true},
    {NULL, TERM(WITH("absent", "in", "'x'")), true},
    {NULL, TERM("{'key':'absent','operator':'In'}"), true},
    {NULL, TERM(WITH("gen", "Gt", "'six'")), true},
    {NULL, TERM("{'operator':'Exists'}"), true},
    {NULL, TERM("'os'"), true},
    {NULL, "[{'matchFields':[{'key':'spec.x','operator':'In','values':['n2']}]}]", true},
};

/* JSON with ' for "; NULL for NULL. */
static json_t *json(const char *text)
{
    _cleanup_(freep) char *copy = text ? strdup(text) : NULL;
    json_t *value;

    if (!copy)
        return NULL;
    for (char *c = copy; (c = strchr(c, '\''));)
        *c = '"';
    value = json_loads(copy, 0, NULL);
    if (!value)
        fail_msg("%s", text);
    return value;
}

static void nodes_are_chosen_as_the_scheduler_does(void **state)
{
    json_auto_t *node = json(NODE);

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        json_auto_t *selector = json(table[i].selector), *terms = json(table[i].terms);

        if (affinity_allows(selector, terms, node) != table[i].allowed)
            fail_msg("%s %s", table[i].selector ? table[i].selector : "",
                     table[i].terms ? table[i].terms : "");
    }
}

static void a_node_without_labels_has_none(void **state)
{
    json_auto_t *node = json("{'metadata':{'name':'n1'}}");
    json_auto_t *lacks = json(TERM("{'key':'os','operator':'DoesNotExist'}"));
    json_auto_t *has = json(TERM("{'key':'os','operator':'Exists'}"));

    (void)state;
    assert_true(affinity_allows(NULL, lacks, node));
    assert_false(affinity_allows(NULL, has, node));
}

#define PIN "{'key':'metadata.name','operator':'In','values':['n1']}"

static void a_pin_narrows_what_the_user_asked_for(void **state)
{
    static const struct {
        const char *terms, *pinned;
    } cases[] = {
        {NULL, "[{'matchFields':[" PIN "]}]"},
        {"[]", "[{'matchFields':[" PIN "]}]"},
        {"[{'matchExpressions':[{'key':'a','operator':'Exists'}]}]",
         "[{'matchExpressions':[{'key':'a','operator':'Exists'}],'matchFields':[" PIN "]}]"},
        {FIELD("NotIn", "'n2'"),
         "[{'matchFields':[{'key':'metadata.name','operator':'NotIn','values':['n2']}," PIN "]}]"},
        {"[{'matchExpressions':[{'key':'a','operator':'Exists'}]},{},"
         "{'matchExpressions':[{'key':'b','operator':'Exists'}]}]",
         "[{'matchExpressions':[{'key':'a','operator':'Exists'}],'matchFields':[" PIN "]},{},"
         "{'matchExpressions':[{'key':'b','operator':'Exists'}],'matchFields':[" PIN "]}]"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        json_auto_t *terms = json(cases[i].terms), *before = json_deep_copy(terms);
        json_auto_t *want = json(cases[i].pinned);
        json_auto_t *pinned = NULL;

        assert_int_equal(affinity_pin(terms, "n1", &pinned, NULL), 0);
        if (!json_equal(pinned, want))
            fail_msg("%s gave %s", cases[i].terms, json_dumps(pinned, JSON_SORT_KEYS));
        assert_true(!terms || json_equal(terms, before));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_chosen_as_the_scheduler_does),
        cmocka_unit_test(a_node_without_labels_has_none),
        cmocka_unit_test(a_pin_narrows_what_the_user_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
