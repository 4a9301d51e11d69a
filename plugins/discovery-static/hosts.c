/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-static/hosts.h"

#include "base/address.h"
#include "base/record.h"

#include <ctype.h>
#include <string.h>

const char *const command_names[COMMANDS] = {
    [COMMAND_SPAWN] = "spawn",
    [COMMAND_REMOVE] = "remove",
    [COMMAND_IDENTIFY] = "identify",
    [COMMAND_NOTIFY] = "notify",
};

bool hosts_is_name(const char *text)
{
    return isalnum((unsigned char)*text) && record_is_uid(text);
}

const char *hosts_fault_of_name(const char *name)
{
    if (!name)
        return "a name is missing";
    return hosts_is_name(name) ? NULL
                               : "a name is letters, digits, '-', '.' and '_', with a letter or "
                                 "digit in front";
}

const char *hosts_fault_of_address(const char *address)
{
    char host[256];
    uint16_t port;

    if (!address)
        return "an address is missing";
    return address_parse(address, 1, host, &port) ? "an address is HOST or HOST:PORT" : NULL;
}

const char *hosts_fault_of_command(const json_t *list)
{
    const json_t *word;
    size_t i;

    if (!json_is_array(list))
        return "a command is a list of texts";
    json_array_foreach (list, i, word) {
        if (!json_is_string(word) || (i == 0 && json_string_length(word) == 0))
            return "a command is a list of texts, a program in front";
        if (strlen(json_string_value(word)) != json_string_length(word))
            return "a command cannot have NUL characters";
    }
    return NULL;
}

enum command hosts_command(const char *name, size_t len)
{
    enum command c = 0;

    while (c < COMMANDS &&
           (strlen(command_names[c]) != len || memcmp(command_names[c], name, len) != 0))
        c++;
    return c;
}

int hosts_add(struct hosts *hosts, const struct host *host, struct casb_error *err)
{
    if ((hosts->n & (hosts->n - 1)) == 0) { /* full at every power of two */
        size_t room = hosts->n ? 2 * hosts->n : 1;
        struct host *list = reallocarray(hosts->list, room, sizeof *list);

        if (!list)
            return err_nomem(err);
        hosts->list = list;
    }
    hosts->list[hosts->n++] = *host;
    return 0;
}

/* Those of the same name stand in the order in which they were given. */
static int compare(const void *a, const void *b)
{
    const struct host *x = a, *y = b;
    int r = strcmp(x->name, y->name);

    if (r)
        return r;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int compare_name(const void *name, const void *host)
{
    return strcmp(name, ((const struct host *)host)->name);
}

/* Where it was given, for messages. */
static char *place(char *out, size_t size, const struct host *host, const char *path)
{
    if (host->line)
        snprintf(out, size, "%s:%zu:1", path, host->line);
    else
        snprintf(out, size, "hosts[%zu]", host->index);
    return out;
}

static int refuse_twins(const struct hosts *hosts, const char *path, struct casb_error *err)
{
    char first[200], second[200];

    for (size_t i = 1; i < hosts->n; i++) {
        const struct host *a = &hosts->list[i - 1], *b = &hosts->list[i];

        if (strcmp(a->name, b->name) != 0)
            continue;
        place(first, sizeof first, a, path);
        place(second, sizeof second, b, path);
        return b->line ? err_set(err, CASB_EINVALID, "%s: '%s' is given twice, first at %s", second,
                                 b->name, first)
                       : err_set_setting(err, second, "'%s' is given twice, first at %s", b->name,
                                         first);
    }
    return 0;
}

int hosts_sort(struct hosts *hosts, const char *path, struct casb_error *err)
{
    if (hosts->n > 0)
        qsort(hosts->list, hosts->n, sizeof *hosts->list, compare);
    return refuse_twins(hosts, path, err);
}

const struct host *hosts_find(const struct hosts *hosts, const char *name)
{
    if (hosts->n == 0)
        return NULL;
    return bsearch(name, hosts->list, hosts->n, sizeof *hosts->list, compare_name);
}

void hosts_free(struct hosts *hosts)
{
    free(hosts->list);
    free(hosts->text);
    json_decref(hosts->trees);
}
