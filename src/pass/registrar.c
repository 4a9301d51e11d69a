/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/registrar.h"

#include "log.h"

int registrar_prepare(struct pass *pass, struct casb_error *err)
{
    const struct plugin *plugin = &pass->plugins->registration;
    const struct casb_registration_ops *ops = plugins_registration(pass->plugins);
    int r = ops->prepare && plugin->open ? ops->prepare(plugin->self, &pass->call, err) : 0;

    return r ? err_wrap(err, r, "registration plugin '%s'", plugin->descriptor->name) : 0;
}

void registrar_describe(struct pass *pass)
{
    const struct plugin *plugin = &pass->plugins->registration;
    const struct casb_registration_ops *ops = plugins_registration(pass->plugins);
    struct casb_registrar registrar = {0};
    struct casb_error err = {0};

    if (!ops->describe || turn_is_over(pass))
        return;
    if (ops->describe(plugin->self, &pass->call, &registrar, &err))
        log_debug("what registers is unknown: %s", err.text);
    report_set_registrar(pass->report, plugin->descriptor->name, &registrar);
}
