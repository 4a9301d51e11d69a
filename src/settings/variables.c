/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/variables.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

#define NAME_BYTES 128 /* longer than any that is meant */

static const char *const prefixes[] = {"BACKUP_", "LAS_", "SELECTOR_"};

static const char *const known[] = {
    "BACKUP_CAS_CLIENT_PORT", "BACKUP_CAS_ENCLAVE_PORT", "BACKUP_CAS_IMAGE",
    "BACKUP_CAS_NAME",        "LAS_NAMESPACE",           "LAS_SELECTOR_LABEL",
    "SELECTOR_LABEL",         "SELECTOR_LABELS",         NULL,
};

static bool is_looked_at(const char *name)
{
    for (size_t i = 0; i < ELEMENTS(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static bool is_known(const char *name)
{
    for (size_t i = 0; known[i]; i++)
        if (text_equal(name, known[i]))
            return true;
    return false;
}

/* NAME_SERVICE_HOST, NAME_SERVICE_PORT[_PORT], NAME_PORT=tcp://..., NAME_PORT_80_TCP[_ADDR]. */
static bool is_of_service(const char *name, const char *value)
{
    const char *port = strstr(name, "_PORT");

    if (strstr(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT"))
        return true;
    if (!port)
        return false;
    return strstr(value, "://") || strstr(port, "_TCP") || strstr(port, "_UDP") ||
           strstr(port, "_SCTP");
}

void variables_check(char *const *env, variables_unknown_fn *unknown, void *arg)
{
    for (; env && *env; env++) {
        size_t len = strcspn(*env, "=");
        char name[NAME_BYTES];

        if (len >= sizeof name || !(*env)[len] || !(*env)[len + 1])
            continue;
        memcpy(name, *env, len);
        name[len] = '\0';
        if (is_looked_at(name) && !is_known(name) && !is_of_service(name, *env + len + 1))
            unknown(name, text_nearest(name, known), arg);
    }
}
