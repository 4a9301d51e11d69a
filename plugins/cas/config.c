/* SPDX-License-Identifier: Apache-2.0 */
#include "cas/config.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "base/tls.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

#define CONFIG_BYTES (1024 * 1024)
#define HTTPS_PORT   443

static int home_file(const char *home, const char *name, char **ret, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf path = BUF_INIT(4096);
    int r = buf_printf(&path, "%s/.cas/%s", home, name);

    if (r < 0)
        return err_set(err, r, "$HOME is too long");
    *ret = buf_take(&path);
    return *ret ? 0 : err_nomem(err);
}

int cas_config_path(const char *given, char **ret, struct casb_error *err)
{
    _cleanup_(freep) char *path = NULL;
    _cleanup_(freep) char *older = NULL;
    const char *home = process_env("HOME");
    int r;

    if (given) {
        r = text_dup(given, ret);
        return r < 0 ? err_nomem(err) : 0;
    }
    if (text_empty(home))
        return err_set(err, CASB_EINVALID,
                       "no SCONE CLI configuration: give --config, SCONE_CLI_CONFIG or a session");
    r = home_file(home, "config.json", &path, err);
    if (r < 0)
        return r;
    r = home_file(home, "config", &older, err);
    if (r < 0)
        return r;
    *ret = access(path, F_OK) < 0 && access(older, F_OK) == 0 ? TAKE_PTR(older) : TAKE_PTR(path);
    return 0;
}

static int parse(const struct cas_config *config, json_t **ret, struct casb_error *err)
{
    json_error_t error;
    json_t *root =
        json_loadb(buf_text(&config->text), config->text.len, JSON_REJECT_DUPLICATES, &error);
    char *near;

    if (root) {
        *ret = root;
        return 0;
    }
    /* What stands near the error may be the owner's key. */
    near = strstr(error.text, " near ");
    if (near)
        *near = 0;
    return err_set(err, CASB_EINVALID, "line %d, column %d: %s", error.line, error.column,
                   error.text);
}

/* Takes the value of a key that must be a string with something in it. */
static int take_string(const json_t *object, const char *key, char **ret, struct casb_error *err)
{
    const json_t *value = json_object_get(object, key);

    if (!value)
        return err_set(err, CASB_EINVALID, "%s is missing", key);
    if (!json_is_string(value) || json_string_length(value) == 0)
        return err_set(err, CASB_EINVALID, "%s is not a text", key);
    *ret = strdup(json_string_value(value));
    return *ret ? 0 : err_nomem(err);
}

/* Host and port that a URL of the form https://HOST:PORT/PATH connects to. */
static int url_address(const char *url, char host[static 256], uint16_t *ret_port)
{
    static const char scheme[] = "https://";
    char authority[320];
    size_t len;

    if (strncasecmp(url, scheme, strlen(scheme)) != 0)
        return CASB_EINVALID;
    url += strlen(scheme);
    len = strcspn(url, "/");
    if (len >= sizeof authority)
        return CASB_EINVALID;
    memcpy(authority, url, len);
    authority[len] = 0;
    return text_parse_address(authority, HTTPS_PORT, host, ret_port);
}

/* Does the entry's URL lead to that address? */
static bool entry_is_at(const json_t *entry, const char *host, uint16_t port)
{
    const char *url = json_string_value(json_object_get(entry, "url"));
    char url_host[256];
    uint16_t url_port;

    return url && url_address(url, url_host, &url_port) == 0 && port == url_port &&
           strcasecmp(host, url_host) == 0;
}

/* The key of the entry with that name, or with that address in its URL; NULL: there is none. */
static const char *find(json_t *cas_db, const char *cas)
{
    char host[256];
    uint16_t port;
    const char *name;
    json_t *entry;

    if (json_object_get(cas_db, cas))
        return cas;
    if (text_parse_address(cas, CAS_CLIENT_PORT, host, &port) < 0)
        return NULL;
    json_object_foreach (cas_db, name, entry) {
        if (entry_is_at(entry, host, port))
            return name;
    }
    return NULL;
}

static int set_dial(struct cas_config *config, const char *cas, struct casb_error *err)
{
    char host[256], address[sizeof config->primary.address];
    uint16_t port;

    if (text_parse_address(cas, CAS_CLIENT_PORT, host, &port) < 0 ||
        text_join_address(address, sizeof address, host, port) < 0)
        return err_set(err, CASB_EINVALID, "cas: '%s' is not an address", cas);
    config->dial = strdup(address);
    return config->dial ? 0 : err_nomem(err);
}

/* Finds out which entry `cas` means, and where to reach it. */
static int choose(struct cas_config *config, const json_t *root, const char *cas, bool dial,
                  struct casb_error *err)
{
    const char *name = cas ? find(json_object_get(root, "cas_db"), cas) : NULL;
    int r;

    if (name)
        return text_dup(name, &config->name) < 0 ? err_nomem(err) : 0;
    if (cas && !dial)
        return err_set(
            err, CASB_EINVALID,
            "cas_db has no CAS '%s': attest it with 'scone cas attest', or leave cas out", cas);
    r = take_string(root, "default_cas", &config->name, err);
    return r == 0 && cas ? set_dial(config, cas, err) : r;
}

/* The address by which people know the primary: as they gave it, else as its URL has it. */
static int set_address(struct cas_config *config, const char *cas, struct casb_error *err)
{
    char *out = config->primary.address;
    size_t size = sizeof config->primary.address;
    char host[256];
    uint16_t port;
    int r;

    r = url_address(config->url, host, &port);
    if (r < 0)
        return err_set(err, r, "url is not of the form https://HOST:PORT/");
    if (cas)
        r = snprintf(out, size, "%s", cas) < (int)size ? 0 : CASB_EINVALID;
    else if (port == CAS_CLIENT_PORT)
        r = snprintf(out, size, "%s", host) < (int)size ? 0 : CASB_EINVALID;
    else
        r = text_join_address(out, size, host, port);
    return r < 0 ? err_set(err, r, "the primary's address is too long") : 0;
}

static int read_entry(struct cas_config *config, const json_t *entry, const char *cas,
                      struct casb_error *err)
{
    size_t len;
    int r;

    r = take_string(entry, "url", &config->url, err);
    if (r < 0)
        return r;
    for (len = strlen(config->url); len > 0 && config->url[len - 1] == '/'; len--)
        config->url[len - 1] = 0;
    r = set_address(config, cas, err);
    if (r < 0)
        return r;
    r = take_string(entry, "chain", &config->chain, err);
    if (r < 0)
        return err_wrap(err, r, "not attested");
    r = tls_chain_sha256(config->chain, config->primary.id, err);
    return r < 0 ? err_wrap(err, r, "chain") : 0;
}

static int read_identity(struct cas_config *config, const json_t *root, struct casb_error *err)
{
    const json_t *identity = json_object_get(root, "identity");
    int r;

    if (!json_is_string(identity))
        return err_set(err, CASB_EINVALID, "identity is missing or not a text");
    r = tls_split_identity(json_string_value(identity), &config->key, &config->cert, err);
    return r < 0 ? err_wrap(err, r, "identity") : 0;
}

static int read_tree(struct cas_config *config, const char *cas, bool dial, struct casb_error *err)
{
    json_auto_t *root = NULL;
    const json_t *cas_db, *entry;
    int r;

    r = parse(config, &root, err);
    if (r < 0)
        return r;
    cas_db = json_object_get(root, "cas_db");
    if (!json_is_object(cas_db))
        return err_set(err, CASB_EINVALID, "cas_db is missing or not an object");
    r = choose(config, root, cas, dial, err);
    if (r < 0)
        return r;
    entry = json_object_get(cas_db, config->name);
    if (!json_is_object(entry))
        return err_set(err, CASB_EINVALID, "cas_db has no CAS '%s'", config->name);
    r = read_entry(config, entry, cas, err);
    if (r < 0)
        return err_wrap(err, r, "cas_db '%s'", config->name);
    return read_identity(config, root, err);
}

int cas_config_load(const char *path, const char *cas, bool dial, struct cas_config **ret,
                    struct casb_error *err)
{
    _cleanup_(cas_config_freep) struct cas_config *config = calloc(1, sizeof *config);
    struct casb_error read_err = {0};
    int r;

    if (!config)
        return err_nomem(err);
    config->text = BUF_INIT(CONFIG_BYTES);
    /* Whoever named a file that cannot be read gave a wrong setting. */
    r = file_read(path, &config->text, &read_err);
    if (r < 0)
        return err_set(err, r == CASB_ENOMEM ? r : CASB_EINVALID, "SCONE CLI configuration: %s",
                       read_err.text);
    r = read_tree(config, cas, dial, err);
    if (r < 0)
        return err_wrap(err, r, "SCONE CLI configuration '%s'", path);
    *ret = TAKE_PTR(config);
    return 0;
}

int cas_config_check_chain(const struct cas_config *config, int64_t now, struct casb_error *err)
{
    char subject[128], since[CLOCK_RFC3339_BYTES];
    int64_t expiry;
    int r;

    r = tls_chain_expiry(config->chain, &expiry, subject, sizeof subject, err);
    if (r < 0)
        return err_wrap(err, r, "pinned chain of CAS '%s'", config->name);
    if (now <= expiry)
        return 0;
    return err_set(err, CASB_EDENIED,
                   "the pinned chain of CAS '%s' (%s) expired at %s: attest the CAS again with "
                   "'scone cas attest'",
                   config->name, subject, clock_format(since, expiry * 1000, false));
}

void cas_config_free(struct cas_config *config)
{
    if (!config)
        return;
    buf_free_secret(&config->text);
    tls_secret_free(config->key);
    free(config->cert);
    free(config->chain);
    free(config->dial);
    free(config->url);
    free(config->name);
    free(config);
}

int cas_session_primary(const char *address, const char *session, struct casb_primary *ret,
                        struct casb_error *err)
{
    _cleanup_(buf_free) struct buf both = BUF_INIT(4096);
    struct casb_primary primary;
    int r;

    if (snprintf(primary.address, sizeof primary.address, "%s", address) >=
        (int)sizeof primary.address)
        return err_set(err, CASB_EINVALID, "the primary's address is too long");
    r = buf_append(&both, address, strlen(address) + 1);
    if (r == 0)
        r = buf_puts(&both, session);
    if (r < 0)
        return err_set(err, r, "session: the name is too long");
    r = text_sha256(both.data, both.len, primary.id);
    if (r < 0)
        return err_set(err, r, "SHA-256 is not available");
    *ret = primary;
    return 0;
}
