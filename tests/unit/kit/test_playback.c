/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "kit/playback.h"

static const char recording[] =
    "{\"recording\": 1, \"cas\": \"7.0.0\", \"exchanges\": ["
    " {\"side\": \"backup\", \"method\": \"GET\", \"path\": \"/v1/db?token=(taken out 1)\","
    "  \"status\": 200, \"answer\": {\"c\": \"PEM\", \"token\": \"(taken out 2)\"}},"
    " {\"side\": \"primary\", \"method\": \"POST\", \"path\": \"/v1/backups\","
    "  \"client_certificate\": true, \"request\": {\"c\": \"PEM\", \"t\": [\"(taken out 2)\", 1]},"
    "  \"status\": 201, \"answer\": {\"id\": \"x\"}},"
    " {\"side\": \"primary\", \"method\": \"POST\", \"path\": \"/v1/end\", \"status\": 204}]}";

static void a_request_gets_its_recorded_answer(void **state)
{
    static const struct {
        const char *side, *method, *path;
        bool client;
        const char *body;
        int status;
        const char *answer; /* NULL: none */
    } rows[] = {
        {"backup", "GET", "/v1/db?token=abc", false, NULL, 200,
         "{\"c\": \"PEM\", \"token\": \"(taken out 2)\"}"},
        {"backup", "GET", "/v1/db", false, NULL, 200,
         "{\"c\": \"PEM\", \"token\": \"(taken out 2)\"}"},
        {"backup", "GET", "/v1/dbs", false, NULL, 404,
         "{\"msg\": [\"The recording has no such request\", \"/v1/dbs\"]}"},
        {"backup", "POST", "/v1/db", false, NULL, 404,
         "{\"msg\": [\"The recording has no such request\", \"/v1/db\"]}"},
        {"primary", "POST", "/v1/backups", true, "{\"c\": \"PEM\", \"t\": [\"any\", 1]}", 201,
         "{\"id\": \"x\"}"},
        {"primary", "POST", "/v1/backups", false, "{\"c\": \"PEM\", \"t\": [\"any\", 1]}", 401,
         "{\"msg\": [\"The recording has a client certificate\", \"/v1/backups\"]}"},
        {"primary", "POST", "/v1/backups", true, "{\"c\": \"PEM\", \"t\": [\"any\", 2]}", 400,
         "{\"msg\": [\"The recording has another body\", \"/v1/backups\"]}"},
        {"primary", "POST", "/v1/backups", true, "{\"c\": \"PEM\", \"t\": [\"any\"]}", 400,
         "{\"msg\": [\"The recording has another body\", \"/v1/backups\"]}"},
        {"primary", "POST", "/v1/backups", true, "{\"c\": \"PEM\"}", 400,
         "{\"msg\": [\"The recording has another body\", \"/v1/backups\"]}"},
        {"primary", "POST", "/v1/backups", true, NULL, 400,
         "{\"msg\": [\"The recording has another body\", \"/v1/backups\"]}"},
        {"primary", "POST", "/v1/end", false, NULL, 204, NULL},
        {"primary", "GET", "/v1/version", false, NULL, 200, "{\"version\": \"7.0.0\"}"},
        {"backup", "GET", "/v1/version", false, NULL, 404,
         "{\"msg\": [\"The recording has no such request\", \"/v1/version\"]}"},
    };
    json_auto_t *tree = json_loads(recording, 0, NULL);

    (void)state;
    assert_non_null(tree);
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const struct playback playback = {tree, rows[i].side};
        json_auto_t *body = rows[i].body ? json_loads(rows[i].body, 0, NULL) : NULL;
        json_auto_t *want = rows[i].answer ? json_loads(rows[i].answer, 0, NULL) : NULL;
        json_auto_t *got = NULL;
        int status =
            playback_answer(&playback, rows[i].method, rows[i].path, rows[i].client, body, &got);

        if (status != rows[i].status || (want ? !json_equal(got, want) : got != NULL))
            fail_msg("row %zu: %d", i, status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_gets_its_recorded_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
