/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "settings/variables.h"

#include <string.h>

struct said {
    char text[256];
};

static void note(const char *name, const char *near, void *arg)
{
    struct said *said = arg;
    size_t len = strlen(said->text);

    snprintf(said->text + len, sizeof said->text - len, "%s>%s;", name, near ? near : "-");
}

static void only_what_looks_like_a_variable_of_ours_is_told(void **state)
{
    static const struct {
        const char *variable, *said;
    } cases[] = {
        {"SELECTOR_LABEL=a", ""},
        {"SELECTOR_LABELS={}", ""},
        {"LAS_SELECTOR_LABEL=a", ""},
        {"LAS_NAMESPACE=a", ""},
        {"BACKUP_CAS_NAME=a", ""},
        {"BACKUP_CAS_IMAGE=a", ""},
        {"BACKUP_CAS_CLIENT_PORT=1", ""},
        {"BACKUP_CAS_ENCLAVE_PORT=1", ""},
        {"SELECTOR_LABLE=a", "SELECTOR_LABLE>SELECTOR_LABEL;"},
        {"BACKUP_CAS_PORT=1", "BACKUP_CAS_PORT>BACKUP_CAS_NAME;"},
        {"BACKUP_CAS_IMAG=a", "BACKUP_CAS_IMAG>BACKUP_CAS_IMAGE;"},
        {"LAS_NAME_SPACE=a", "LAS_NAME_SPACE>LAS_NAMESPACE;"},
        {"LAS_X=a", "LAS_X>-;"},
        {"LAS_X=", ""},
        {"LAS_X", ""},
        {"XLAS_X=a", ""},
        {"las_x=a", ""},
        {"CAS_BACKUP_FILE=a", ""},
        /* what Kubernetes sets for Services that are called las and backup-cas */
        {"LAS_SERVICE_HOST=10.0.0.1", ""},
        {"LAS_SERVICE_PORT=18766", ""},
        {"LAS_SERVICE_PORT_LAS=18766", ""},
        {"LAS_PORT=tcp://10.0.0.1:18766", ""},
        {"LAS_PORT_18766_TCP=tcp://10.0.0.1:18766", ""},
        {"LAS_PORT_18766_TCP_ADDR=10.0.0.1", ""},
        {"LAS_PORT_18766_UDP_PROTO=udp", ""},
        {"BACKUP_CAS_PORT=tcp://10.0.0.1:8081", ""},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char variable[64];
        char *const env[] = {variable, NULL};
        struct said said = {""};

        snprintf(variable, sizeof variable, "%s", cases[i].variable);
        variables_check(env, note, &said);
        assert_string_equal(said.text, cases[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_looks_like_a_variable_of_ours_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
