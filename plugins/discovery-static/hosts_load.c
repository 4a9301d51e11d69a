/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-static/hosts_load.h"

#include "base/text.h"
#include "discovery-static/hosts_file.h"

#include <string.h>

static const char unknown_key[] =
    "unknown key; valid are name, address, spawn, remove, identify, notify";

/* One key of a machine in the settings: what is wrong with it, or NULL. */
static const char *take_key(struct host *host, const char *key, const json_t *value)
{
    enum command c = hosts_command(key, strlen(key));
    bool is_name = strcmp(key, "name") == 0;

    if (c < COMMANDS) {
        host->commands[c] = value;
        return hosts_fault_of_command(value);
    }
    if (!is_name && strcmp(key, "address") != 0)
        return unknown_key;
    if (!json_is_string(value))
        return "expected text (put it in quotes)";
    *(is_name ? &host->name : &host->address) = json_string_value(value);
    return is_name ? hosts_fault_of_name(host->name) : hosts_fault_of_address(host->address);
}

static int take_pair(struct host *host, const char *key, const json_t *value,
                     struct casb_error *err)
{
    static const char *const keys[] = {"name",     "address", "spawn", "remove",
                                       "identify", "notify",  NULL};
    const char *fault = take_key(host, key, value), *near;
    char where[CASB_ERROR_SETTING_BYTES], clean[32];

    if (!fault)
        return 0;
    snprintf(where, sizeof where, "hosts[%zu].%s", host->index,
             text_clean(clean, sizeof clean, key));
    near = fault == unknown_key ? text_nearest(key, keys) : NULL;
    return near ? err_set_setting(err, where, "%s (did you mean '%s'?)", fault, near)
                : err_set_setting(err, where, "%s", fault);
}

static int take_object(struct hosts *hosts, size_t index, const json_t *object,
                       struct casb_error *err)
{
    struct host host = {.index = index};
    const char *key, *fault = NULL;
    char where[CASB_ERROR_SETTING_BYTES];
    json_t *value;

    json_object_foreach ((json_t *)object, key, value) {
        int r = take_pair(&host, key, value, err);

        if (r)
            return r;
    }
    if (!json_is_object(object))
        fault = "expected a map with name and address";
    else if (!host.name)
        fault = hosts_fault_of_name(NULL);
    else if (!host.address)
        fault = hosts_fault_of_address(NULL);
    if (!fault)
        return hosts_add(hosts, &host, err);
    snprintf(where, sizeof where, "hosts[%zu]", index);
    return err_set_setting(err, where, "%s", fault);
}

int hosts_load(const json_t *list, const char *path, struct hosts *ret, struct casb_error *err)
{
    _cleanup_(hosts_free) struct hosts hosts = {0};
    const json_t *object;
    size_t i;
    int r = 0;

    json_array_foreach (list, i, object) {
        r = take_object(&hosts, i, object, err);
        if (r)
            return r;
    }
    if (path)
        r = hosts_file_load(&hosts, path, err);
    if (!r)
        r = hosts_sort(&hosts, path, err);
    if (r)
        return r;
    *ret = hosts;
    hosts = (struct hosts){0};
    return 0;
}
