/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-cas-api/api.h"

#include "base/clock.h"
#include "base/plog.h"
#include "common/cas/chain.h"
#include "registration-cas-api/answer.h"

#include <cas-backup/plugin.h>

#define PATIENCE       (10 * CLOCK_S)
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
     .help = "where it stands in that answer: keys with dots between them; .: all of it"},
    {"certificate_form", CASB_STRING, OPTION(certificate_form), .def = "pem", .choices = "pem|any",
     .help = "what it must look like; any: it is passed on as it is"},
    {"register_path", CASB_STRING, OPTION(register_path), .def = "/v1/backups",
     .help = "where the primary CAS takes a DB certificate"},
    {"register_body", CASB_MAP, OPTION(register_body),
     .help = "what it is sent, with \"{certificate}\" and \"{tolerate}\" for the two"},
    {"verified_with", CASB_STRING, OPTION(verified_with),
     .help = "the version of CAS with which you have checked what this plugin assumes"},
    {0},
};

static int check_values(const struct api_settings *settings, struct casb_error *err)
{
    if (settings->certificate_path[0] != '/')
        return err_set_setting(err, "certificate_path", "it does not begin with '/'");
    if (settings->register_path[0] != '/')
        return err_set_setting(err, "register_path", "it does not begin with '/'");
    if (settings->verified_with && answer_major(settings->verified_with) < 0)
        return err_set_setting(err, "verified_with", "'%s' is not a version such as 5.8.0",
                               settings->verified_with);
    return 0;
}

static int api_verify(const struct casb_host *host, const void *settings, struct casb_error *err)
{
    (void)host;
    return check_values(settings, err);
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

static int fill(struct api *api, const struct casb_host *host, struct casb_error *err)
{
    const struct api_settings *settings = api->settings;
    _cleanup_(freep) char *path = NULL;
    int r;

    r = check_values(settings, err);
    if (r < 0)
        return r;
    r = cas_config_path(settings->config, &path, err);
    if (r < 0)
        return r;
    r = cas_config_load(path, settings->cas, true, &api->config, err);
    if (r < 0)
        return r;
    cas_config_warn(host, path);
    return make_clients(api, err);
}

static int api_open(const struct casb_host *host, const void *settings, void **ret_self,
                    struct casb_error *err)
{
    struct api *api = calloc(1, sizeof *api);
    int r;

    if (!api)
        return err_nomem(err);
    api->host = host;
    api->settings = settings;
    r = fill(api, host, err);
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

/* Asked once, and not for long: a primary that is down is each registration's own trouble. */
static int ask_version(const struct api *api, const struct casb_call *call, char *ret, size_t size,
                       struct casb_error *err)
{
    const int64_t patient_ns = clock_now_ns() + PATIENCE;
    struct casb_call limited = *call;

    if (limited.deadline_ns > patient_ns)
        limited.deadline_ns = patient_ns;
    return api_version(api, &limited, ret, size, err);
}

static int api_prepare(void *self, const struct casb_call *call, struct casb_error *err)
{
    struct api *api = self;
    struct casb_error version_err = {0};
    char doubt[CASB_ERROR_TEXT_BYTES];

    (void)err;
    cas_chain_warn(api->config, api->host);
    if (ask_version(api, call, api->version, sizeof api->version, &version_err) < 0)
        plog(api->host, CASB_WARN, NULL, "the primary's version is unknown: %s", version_err.text);
    if (api_doubt(doubt, sizeof doubt, api->settings->verified_with, api->version)[0])
        plog(api->host, CASB_WARN, NULL, "%s", doubt);
    return 0;
}

static int api_describe(void *self, const struct casb_call *call, struct casb_registrar *ret,
                        struct casb_error *err)
{
    const struct api *api = self;
    char subject[8];

    (void)call;
    (void)err;
    if (cas_chain_end(api->config, &ret->chain_not_after, subject, sizeof subject, NULL) < 0)
        ret->chain_not_after = 0;
    if (api->version[0])
        snprintf(ret->version, sizeof ret->version, "CAS %s", api->version);
    return 0;
}

/* What mends that the primary did not tell its version. */
static const char *primary_remedy(int failure)
{
    if (failure == CASB_EDENIED)
        return "scone cas attest the primary, and give the pass the new configuration";
    return "see that it runs and is reached from here; where it has another address: --cas";
}

static int api_check(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                     struct casb_error *err)
{
    const struct api *api = self;
    struct casb_error version_err = {0};
    char what[400], version[API_VERSION_BYTES] = "", doubt[CASB_ERROR_TEXT_BYTES];
    int r;

    (void)err;
    cas_chain_find(api->config, found, arg);
    snprintf(what, sizeof what, "primary CAS %s", api->config->primary.address);
    r = api_version(api, call, version, sizeof version, &version_err);
    found(&(struct casb_finding){.what = what,
                                 .good = r == 0,
                                 .detail = r < 0 ? version_err.text : NULL,
                                 .remedy = primary_remedy(r)},
          arg);
    if (r == 0)
        found(&(struct casb_finding){.what = "version of the primary CAS",
                                     .good = true,
                                     .detail = version[0] ? version : "it tells none"},
              arg);
    if (api_doubt(doubt, sizeof doubt, api->settings->verified_with, version)[0])
        found(&(struct casb_finding){.what = "calls of cas-api", .good = true, .detail = doubt},
              arg);
    return 0;
}

/* What it does is what the CLI does by that name. */
static const char *api_command(const void *settings)
{
    (void)settings;
    return "register-backup";
}

static const struct casb_registration_ops ops = {
    .size = sizeof ops,
    .primary = api_primary,
    .register_backup = api_register_backup,
    .prepare = api_prepare,
    .describe = api_describe,
    .command = api_command,
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
    .verify = api_verify,
    .ops = &ops,
};
