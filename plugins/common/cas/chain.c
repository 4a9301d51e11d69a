/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cas/chain.h"

#include "base/clock.h"
#include "base/plog.h"
#include "base/tls.h"

#define DAY  86400
#define SOON (30 * DAY)

int cas_chain_end(const struct cas_config *config, int64_t *ret_end, char *subject, size_t size,
                  struct casb_error *err)
{
    int r = tls_chain_expiry(config->chain, ret_end, subject, size, err);

    return r < 0 ? err_wrap(err, r, "pinned chain of CAS '%s'", config->name) : 0;
}

int cas_chain_check(const struct cas_config *config, int64_t now, struct casb_error *ret_soon,
                    struct casb_error *err)
{
    char subject[128], when[CLOCK_RFC3339_BYTES];
    int64_t end;
    int r;

    r = cas_chain_end(config, &end, subject, sizeof subject, err);
    if (r < 0)
        return r;
    clock_format(when, end * 1000, false);
    if (now > end)
        return err_set(err, CASB_EDENIED,
                       "the pinned chain of CAS '%s' (%s) expired at %s: attest the CAS again with "
                       "'scone cas attest'",
                       config->name, subject, when);
    if (end - now <= SOON)
        (void)!err_set(
            ret_soon, CASB_EDENIED,
            "the pinned chain of CAS '%s' (%s) expires at %s, in %d days: attest the CAS "
            "again with 'scone cas attest' before",
            config->name, subject, when, (int)((end - now) / DAY));
    return 0;
}

/* What there is to say about the chain now; NULL: nothing. *ret_r is what cas_chain_check() says.
 */
static const char *note(const struct cas_config *config, struct casb_error *err, int *ret_r)
{
    struct casb_error soon = {0};

    *ret_r = cas_chain_check(config, clock_wall_ms() / 1000, &soon, err);
    if (*ret_r == 0)
        *err = soon;
    return err->code ? err->text : NULL;
}

void cas_chain_warn(const struct cas_config *config, const struct casb_host *host)
{
    struct casb_error err = {0};
    const char *text;
    int r;

    text = note(config, &err, &r);
    if (text)
        plog(host, CASB_WARN, NULL, "%s", text);
}

void cas_chain_find(const struct cas_config *config, casb_check_fn *found, void *arg)
{
    struct casb_error err = {0};
    char what[512], remedy[512];
    const char *text;
    int r;

    snprintf(what, sizeof what, "pinned chain of CAS %s", config->name);
    text = note(config, &err, &r);
    snprintf(remedy, sizeof remedy, "scone cas attest %s, and give the pass the new configuration",
             config->primary.address);
    found(&(struct casb_finding){.what = what, .good = r == 0, .detail = text, .remedy = remedy},
          arg);
}
