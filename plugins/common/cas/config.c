/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cas/config.h"

#include "base/address.h"
#include "base/file.h"
#include "base/jsonx.h"
#include "base/plog.h"
#include "base/process.h"
#include "base/text.h"
#include "base/tls.h"
#include "base/trust.h"
#include "base/url.h"
#include "common/cas/secrets.h"

#include <ctype.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#define CONFIG_BYTES (1024 * 1024)
#define SECRET_BYTES (64 * 1024)

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

/* Takes apart a URL of the form https://HOST:PORT/PATH. */
static int parse_url(const char *text, struct url *ret)
{
    struct url url;

    if (url_parse(text, &url) || strcmp(url.scheme, "https") != 0 || url.userinfo)
        return CASB_EINVALID;
    *ret = url;
    return 0;
}

/* Does the entry's URL lead to that address? */
static bool entry_is_at(const json_t *entry, const char *host, uint16_t port)
{
    const char *text = json_string_value(json_object_get(entry, "url"));
    struct url url;

    return text && parse_url(text, &url) == 0 && port == url.port &&
           address_same_host(host, url.host);
}

/* Is the entry's key that address? The CLI's own keys are names, HOST:PORT or NAME.NAMESPACE:PORT.
 */
static bool key_is_at(const char *key, const char *host, uint16_t port)
{
    char key_host[256];
    uint16_t key_port;

    return address_parse(key, CAS_CLIENT_PORT, key_host, &key_port) == 0 && port == key_port &&
           address_same_host(host, key_host);
}

/* The key of the entry with that name, with that address in its URL, or with a key that means it.
 */
static const char *find(json_t *cas_db, const char *cas)
{
    char host[256];
    uint16_t port;
    const char *name;
    json_t *entry;

    if (json_object_get(cas_db, cas))
        return cas;
    if (address_parse(cas, CAS_CLIENT_PORT, host, &port) < 0)
        return NULL;
    json_object_foreach (cas_db, name, entry) {
        if (entry_is_at(entry, host, port))
            return name;
    }
    json_object_foreach (cas_db, name, entry) {
        if (key_is_at(name, host, port))
            return name;
    }
    return NULL;
}

static int set_dial(struct cas_config *config, const char *cas, struct casb_error *err)
{
    char host[256], address[sizeof config->primary.address];
    uint16_t port;

    if (address_parse(cas, CAS_CLIENT_PORT, host, &port) < 0 ||
        address_join(address, sizeof address, host, port) < 0)
        return err_set(err, CASB_EINVALID, "cas: '%s' is not an address", cas);
    config->dial = strdup(address);
    return config->dial ? 0 : err_nomem(err);
}

/* The default CAS; its name may be written as an address of the entry, too. */
static int choose_default(struct cas_config *config, json_t *root, struct casb_error *err)
{
    _cleanup_(freep) char *given = NULL;
    const char *name;
    int r;

    r = take_string(root, "default_cas", &given, err);
    if (r < 0)
        return r;
    name = find(json_object_get(root, "cas_db"), given);
    if (!name)
        return err_set(err, CASB_EINVALID, "cas_db has no CAS '%s'", given);
    return text_dup(name, &config->name) < 0 ? err_nomem(err) : 0;
}

/* It says how to look the name up, which the entry's URL does not. */
static bool has_final_dot(const char *cas)
{
    char host[256];
    uint16_t port;

    return address_parse(cas, CAS_CLIENT_PORT, host, &port) == 0 && host[address_host_length(host)];
}

/* Finds out which entry `cas` means, and where to reach it. */
static int choose(struct cas_config *config, json_t *root, const char *cas, bool dial,
                  struct casb_error *err)
{
    const char *name = cas ? find(json_object_get(root, "cas_db"), cas) : NULL;
    int r;

    if (name && text_dup(name, &config->name) < 0)
        return err_nomem(err);
    if (name)
        return dial && has_final_dot(cas) ? set_dial(config, cas, err) : 0;
    if (cas && !dial)
        return err_set(
            err, CASB_EINVALID,
            "cas_db has no CAS '%s': attest it with 'scone cas attest', or leave cas out", cas);
    r = choose_default(config, root, err);
    return r == 0 && cas ? set_dial(config, cas, err) : r;
}

/* The address by which people know the primary: as they gave it, else as its URL has it. */
static int set_address(struct cas_config *config, const struct url *url, const char *cas,
                       struct casb_error *err)
{
    char *out = config->primary.address;
    size_t size = sizeof config->primary.address;
    int r;

    if (cas)
        r = snprintf(out, size, "%s", cas) < (int)size ? 0 : CASB_EINVALID;
    else if (url->port == CAS_CLIENT_PORT)
        r = snprintf(out, size, "%s", url->host) < (int)size ? 0 : CASB_EINVALID;
    else
        r = address_join(out, size, url->host, url->port);
    return r < 0 ? err_set(err, r, "the primary's address is too long") : 0;
}

static int read_url(struct cas_config *config, const json_t *entry, const char *cas,
                    struct casb_error *err)
{
    _cleanup_(freep) char *text = NULL;
    char origin[URL_ORIGIN_BYTES];
    struct url url;
    size_t len;
    int r = take_string(entry, "url", &text, err);

    if (r < 0)
        return r;
    r = parse_url(text, &url);
    if (r < 0)
        return err_set(err, r, "url is not of the form https://HOST:PORT/");
    len = strcspn(url.path, "?#");
    while (len > 0 && url.path[len - 1] == '/')
        len--;
    if (asprintf(&config->url, "%s%.*s", url_origin(origin, &url), (int)len, url.path) < 0)
        return err_nomem(err);
    return set_address(config, &url, cas, err);
}

static int read_entry(struct cas_config *config, const json_t *entry, const char *cas,
                      struct casb_error *err)
{
    int r = read_url(config, entry, cas, err);

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

static int read_secrets(struct cas_config *config, const json_t *root, struct casb_error *err)
{
    int r = secrets_collect(root, &config->secrets);

    if (r == CASB_ENOMEM)
        return err_nomem(err);
    return r < 0 ? err_set(err, r, "more than %d KiB of it are secrets", SECRET_BYTES / 1024) : 0;
}

static int read_tree(struct cas_config *config, const char *cas, bool dial, struct casb_error *err)
{
    json_auto_t *root = NULL;
    const json_t *cas_db, *entry;
    int r;

    r = jsonx_parse(buf_text(&config->text), config->text.len, NULL, &root, err);
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
    r = read_identity(config, root, err);
    return r < 0 ? r : read_secrets(config, root, err);
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
    config->secrets = BUF_INIT(SECRET_BYTES);
    /* Whoever named a file that cannot be read, or is others' as well, gave a wrong setting. */
    r = file_read(path, &config->text, &read_err);
    if (r == 0)
        r = trust_check(path, TRUST_FILE, &read_err);
    if (r < 0)
        return err_set(err, r == CASB_ENOMEM ? r : CASB_EINVALID, "SCONE CLI configuration: %s",
                       read_err.text);
    r = read_tree(config, cas, dial, err);
    if (r < 0)
        return err_wrap(err, r, "SCONE CLI configuration '%s'", path);
    *ret = TAKE_PTR(config);
    return 0;
}

void cas_config_warn(const struct casb_host *host, const char *path)
{
    if (trust_is_readable_by_all(path))
        plog(host, CASB_WARN, NULL,
             "the SCONE CLI's configuration '%s', with the owner's key in it, can be read by "
             "everybody: take that right away (chmod o= FILE)",
             path);
}

void cas_config_free(struct cas_config *config)
{
    if (!config)
        return;
    buf_free_secret(&config->text);
    buf_free_secret(&config->secrets);
    tls_secret_free(config->key);
    free(config->cert);
    free(config->chain);
    free(config->dial);
    free(config->url);
    free(config->name);
    free(config);
}

/* The ways to write one address are one address: `MyCAS` and `mycas.` are `mycas:8081`. */
static int plain_address(const char *address, char *out, size_t size)
{
    char host[256];
    uint16_t port;

    if (address_parse(address, CAS_CLIENT_PORT, host, &port) < 0)
        return CASB_EINVALID;
    host[address_host_length(host)] = 0;
    for (char *c = host; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return address_join(out, size, host, port);
}

int cas_session_primary(const char *address, const char *session, struct casb_primary *ret,
                        struct casb_error *err)
{
    _cleanup_(buf_free) struct buf both = BUF_INIT(4096);
    const char *slash = strrchr(session, '/');
    struct casb_primary primary;
    char plain[sizeof primary.address];
    int r;

    if (!slash)
        return err_set(err, CASB_EINVALID, "session: '%s' has no service", session);
    if (snprintf(primary.address, sizeof primary.address, "%s", address) >=
        (int)sizeof primary.address)
        return err_set(err, CASB_EINVALID, "the primary's address is too long");
    if (plain_address(address, plain, sizeof plain) < 0)
        return err_set(err, CASB_EINVALID, "cas: '%s' is not an address", address);
    r = buf_append(&both, plain, strlen(plain) + 1);
    if (r == 0)
        r = buf_append(&both, session, (size_t)(slash - session));
    if (r < 0)
        return err_set(err, r, "session: the name is too long");
    r = text_sha256(both.data, both.len, primary.id);
    if (r < 0)
        return err_set(err, r, "SHA-256 is not available");
    *ret = primary;
    return 0;
}
