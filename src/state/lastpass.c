/* SPDX-License-Identifier: Apache-2.0 */
#include "state/lastpass.h"

#include "state/pack.h"

struct load {
    struct lastpass *last;
    bool lost;
};

static void take(const struct casb_pass *pass, void *arg)
{
    struct load *load = arg;
    struct casb_pass values = *pass;
    const char **strings[] = {&values.version, &values.address, &values.primary, &values.release};
    char *text = malloc(pack_size(strings, ELEMENTS(strings)) + 1);

    load->lost = !text;
    if (!text)
        return;
    pack_strings(strings, ELEMENTS(strings), text);
    free(load->last->text);
    load->last->text = text;
    load->last->values = values;
}

int lastpass_load(const struct plugins *plugins, const struct casb_call *call, struct lastpass *ret,
                  struct casb_error *err)
{
    const struct casb_state_ops *ops = plugins_state(plugins);
    struct load load = {.last = ret};
    int r = 0;

    *ret = (struct lastpass){0};
    if (ops->load_pass)
        r = ops->load_pass(plugins->state.self, call, take, &load, err);
    if (r)
        return err_wrap(err, r, "load what is remembered of the last pass");
    return load.lost ? err_nomem(err) : 0;
}

void lastpass_done(struct lastpass *last)
{
    free(last->text);
    *last = (struct lastpass){0};
}
