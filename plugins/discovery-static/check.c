/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-static/check.h"

#include "base/program.h"

static void report(const char *name, casb_check_fn *found, void *arg)
{
    struct casb_error trouble = {0};
    char what[PATH_MAX + 32], path[PATH_MAX];
    int r = program_find(name, (const char *const *)environ, path, &trouble);

    snprintf(what, sizeof what, "program '%s'", name);
    found(&(struct casb_finding){.what = what,
                                 .good = r == 0,
                                 .detail = r ? trouble.text : NULL,
                                 .remedy = program_remedy(r)},
          arg);
}

static int add_programs(json_t *programs, const struct commands *commands, const struct host *host)
{
    int bad = 0;

    for (enum command c = 0; c < COMMANDS; c++) {
        const json_t *list = commands_list(commands, host, c);

        if (list)
            bad |= json_object_set_new(programs, json_string_value(json_array_get(list, 0)),
                                       json_null());
    }
    return bad;
}

int check_programs(const struct commands *commands, const struct hosts *hosts, casb_check_fn *found,
                   void *arg, struct casb_error *err)
{
    json_auto_t *programs = json_object();
    int bad = !programs;
    const char *name;
    json_t *value;

    for (size_t i = 0; i < hosts->n; i++)
        bad |= add_programs(programs, commands, &hosts->list[i]);
    if (bad)
        return err_nomem(err);
    json_object_foreach (programs, name, value)
        report(name, found, arg);
    return 0;
}
