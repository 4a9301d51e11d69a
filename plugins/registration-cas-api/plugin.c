/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-cas-api/api.h"

#include "base/clock.h"

#include <cas-backup/plugin.h>

#define OPTION(member) offsetof(struct api_settings, member)

static const struct casb_option options[] = {
    {"config", CASB_STRING, OPTION(config), .env = "SCONE_CLI_CONFIG",
     .help =
         "the SCONE CLI's configuration, with the owner's identity; default ~/.cas/config.json"},
    {"cas", CASB_ADDRESS, OPTION(cas),
     .help = "the primary CAS, or where to reach it; default: the configuration's default CAS"},
    {"tolerate", CASB_STRINGS, OPTION(tolerate),
     .choices = "configuration-needed|group-out-of-date|sw-hardening-needed",
     .help = "attestation findings that the primary is asked to accept"},
    {"certificate_path", CASB_STRING, OPTION(certificate_path), .def = "/v1/backup/certificate",
     .help = "where a backup CAS hands out its DB certificate"},
    {"certificate_key", CASB_STRING, OPTION(certificate_key), .def = "certificate",
     .help = "where it stands in that answer: keys with dots between them"},
    {"register_path", CASB_STRING, OPTION(register_path), .def = "/v1/backups",
     .help = "where the primary CAS takes a DB certificate"},
    {"register_body", CASB_MAP, OPTION(register_body),
     .help = "what it is sent, with \"{certificate}\" and \"{tolerate}\" for the two"},
    {0},
};

static int check_paths(const struct api_settings *settings, struct casb_error *err)
{
    if (settings->certificate_path[0] != '/')
        return err_set_setting(err, "certificate_path", "it does not begin with '/'");
    if (settings->register_path[0] != '/')
        return err_set_setting(err, "register_path", "it does not begin with '/'");
    return 0;
}

static int make_clients(struct api *api, struct casb_error *err)
{
    const struct cas_config *config = api->config;
    int r;

    r = http_client_new(&(struct http_config){.ca_pem = config->chain,
                                              .client_cert_pem = config->cert,
                                              .client_key_pem = config->key,
                                              .connect_to = config->dial,
                                              .partial_chain = true,
                                              .user_agent = "cas-backup/" PACKAGE_VERSION},
                        &api->primary, err);
    if (r < 0)
        return r;
    return http_client_new(&(struct http_config){.insecure = true,
                                                 .proxy = "",
                                                 .user_agent = "cas-backup/" PACKAGE_VERSION},
                           &api->backup, err);
}

static void api_close(void *self)
{
    struct api *api = self;

    http_client_free(api->primary);
    http_client_free(api->backup);
    cas_config_free(api->config);
    free(api);
}

static int fill(struct api *api, struct casb_error *err)
{
    const struct api_settings *settings = api->settings;
    _cleanup_(freep) char *path = NULL;
    int r;

    r = check_paths(settings, err);
    if (r < 0)
        return r;
    r = cas_config_path(settings->config, &path, err);
    if (r < 0)
        return r;
    r = cas_config_load(path, settings->cas, true, &api->config, err);
    return r < 0 ? r : make_clients(api, err);
}

static int api_open(const struct casb_host *host, const void *settings, void **ret_self,
                    struct casb_error *err)
{
    struct api *api = calloc(1, sizeof *api);
    int r;

    (void)host;
    if (!api)
        return err_nomem(err);
    api->settings = settings;
    r = fill(api, err);
    if (r < 0) {
        api_close(api);
        return r;
    }
    *ret_self = api;
    return 0;
}

static int api_primary(void *self, struct casb_primary *ret_primary, struct casb_error *err)
{
    const struct api *api = self;

    (void)err;
    *ret_primary = api->config->primary;
    return 0;
}

static int api_register_backup(void *self, const struct casb_call *call, const char *address,
                               struct casb_error *err)
{
    return api_register(self, call, address, err);
}

static int api_check(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                     struct casb_error *err)
{
    const struct api *api = self;
    struct casb_error chain_err = {0}, probe_err = {0};
    char what[400];
    int r;

    (void)err;
    snprintf(what, sizeof what, "pinned chain of CAS %s", api->config->name);
    r = cas_config_check_chain(api->config, clock_wall_ms() / 1000, &chain_err);
    found(what, r == 0, r < 0 ? chain_err.text : NULL, arg);
    snprintf(what, sizeof what, "primary CAS %s", api->config->primary.address);
    r = api_probe(api, call, &probe_err);
    found(what, r == 0, r < 0 ? probe_err.text : NULL, arg);
    return 0;
}

static const struct casb_registration_ops ops = {
    .size = sizeof ops,
    .primary = api_primary,
    .register_backup = api_register_backup,
};

CASB_EXPORT const struct casb_plugin casb_plugin = {
    .abi = CASB_ABI,
    .size = sizeof casb_plugin,
    .kind = CASB_REGISTRATION,
    .name = "cas-api",
    .version = PACKAGE_VERSION,
    .settings_size = sizeof(struct api_settings),
    .options = options,
    .open = api_open,
    .close = api_close,
    .check = api_check,
    .ops = &ops,
};
