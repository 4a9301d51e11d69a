/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "discovery-kubernetes/refusal.h"

#define FORBIDDEN(reason) "{'reason':'Forbidden','message':'pods x is forbidden: " reason "'}"

/* Answers to a POST of a pod, as Kubernetes and what stands before it give them. */
static const struct {
    int code, http;
    bool unknown;
    const char *status; /* JSON with ' for "; NULL: none, as in a page of HTML */
    enum refusal want;
} table[] = {
    /* no answer */
    {CASB_EUNREACHABLE, 0, true, NULL, REFUSAL_UNSURE},
    {CASB_EUNREACHABLE, 0, false, NULL, REFUSAL_PASSING},
    {CASB_EINVALID, 0, true, NULL, REFUSAL_UNSURE}, /* 200 with a page, or with nothing */
    {CASB_EDENIED, 0, false, NULL, REFUSAL_FINAL},  /* no credentials */
    {CASB_ENOMEM, 0, false, NULL, REFUSAL_FINAL},
    {CASB_EFAILED, 302, false, NULL, REFUSAL_FINAL},
    /* the request */
    {CASB_EINVALID, 400, false, "{'reason':'BadRequest'}", REFUSAL_FINAL},
    {CASB_EINVALID, 405, false, NULL, REFUSAL_FINAL},
    {CASB_EINVALID, 413, false, NULL, REFUSAL_FINAL},
    {CASB_EINVALID, 415, false, NULL, REFUSAL_FINAL},
    {CASB_EINVALID, 422, false, "{'reason':'Invalid','message':'spec.containers: Required'}",
     REFUSAL_FINAL},
    {CASB_EINVALID, 422, false, FORBIDDEN("ValidatingAdmissionPolicy p denied request"),
     REFUSAL_FINAL},
    /* who asks, and where */
    {CASB_EDENIED, 401, false, "{'reason':'Unauthorized'}", REFUSAL_FINAL},
    {CASB_EDENIED, 403, false, NULL, REFUSAL_FINAL},
    {CASB_EDENIED, 403, false, FORBIDDEN("User u cannot create resource pods"), REFUSAL_FINAL},
    {CASB_ENOTFOUND, 404, false, "{'reason':'NotFound','details':{'kind':'namespaces'}}",
     REFUSAL_FOR_ALL},
    {CASB_ENOTFOUND, 404, false, NULL, REFUSAL_FINAL},
    {CASB_EDENIED, 403, false,
     "{'reason':'Forbidden','details':{'causes':[{'reason':'NamespaceTerminating'}]}}",
     REFUSAL_FOR_ALL},
    /* admission */
    {CASB_EDENIED, 403, false, FORBIDDEN("violates PodSecurity restricted:latest: x"),
     REFUSAL_FOR_ALL},
    {CASB_EDENIED, 403, false,
     FORBIDDEN("exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"),
     REFUSAL_PASSING},
    {CASB_EDENIED, 403, false, FORBIDDEN("status unknown for quota: q, resources: pods"),
     REFUSAL_PASSING},
    {CASB_EDENIED, 403, false, FORBIDDEN("failed quota: q: must specify limits.cpu for: c"),
     REFUSAL_FINAL},
    {CASB_EDENIED, 403, false, FORBIDDEN("insufficient quota to match these scopes: [x]"),
     REFUSAL_FINAL},
    {CASB_EDENIED, 403, false, FORBIDDEN("maximum cpu usage per Container is 1, but limit is 2"),
     REFUSAL_FINAL}, /* LimitRange */
    {CASB_EDENIED, 403, false,
     FORBIDDEN("error looking up service account ns/default: serviceaccount not found"),
     REFUSAL_BRIEF},
    {CASB_EDENIED, 403, false, FORBIDDEN("no PriorityClass with name x was found"), REFUSAL_FINAL},
    {CASB_EDENIED, 403, false, FORBIDDEN("pod rejected: RuntimeClass x not found"), REFUSAL_FINAL},
    {CASB_EDENIED, 403, false, "{'message':'admission webhook w denied the request: no'}",
     REFUSAL_FINAL},
    {CASB_EINVALID, 400, false, "{'message':'admission webhook w denied the request: no'}",
     REFUSAL_FINAL},
    /* the name, or a quota that changed meanwhile */
    {CASB_ECONFLICT, 409, false, "{'reason':'AlreadyExists'}", REFUSAL_UNSURE},
    {CASB_ECONFLICT, 409, false, "{'reason':'Conflict','details':{'kind':'resourcequotas'}}",
     REFUSAL_UNSURE},
    /* the server */
    {CASB_EINVALID, 408, false, NULL, REFUSAL_PASSING},
    {CASB_EINVALID, 425, false, NULL, REFUSAL_PASSING},
    {CASB_EUNREACHABLE, 429, false, "{'reason':'TooManyRequests'}", REFUSAL_PASSING},
    {CASB_EUNREACHABLE, 500, true, "{'reason':'InternalError','message':'failed calling webhook'}",
     REFUSAL_UNSURE},
    {CASB_EUNREACHABLE, 502, true, NULL, REFUSAL_UNSURE},
    {CASB_EUNREACHABLE, 503, false, NULL, REFUSAL_PASSING},
    {CASB_EUNREACHABLE, 503, true, NULL, REFUSAL_UNSURE},
    {CASB_EUNREACHABLE, 504, true, "{'reason':'Timeout'}", REFUSAL_UNSURE},
};

static void answers_are_judged_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const struct casb_error failure = {.code = table[i].code, .http = table[i].http};
        _cleanup_(freep) char *text = table[i].status ? strdup(table[i].status) : NULL;
        json_auto_t *status = NULL;

        for (char *c = text; c && (c = strchr(c, '\''));)
            *c = '"';
        status = text ? json_loads(text, 0, NULL) : NULL;
        if (text && !status)
            fail_msg("%s", text);
        if (refusal_judge(&failure, status, table[i].unknown) != table[i].want)
            fail_msg("%d %d %s", table[i].code, table[i].http, text ? text : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_judged_as_the_table_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
