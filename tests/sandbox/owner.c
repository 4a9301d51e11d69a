/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/owner.h"

#include "sandbox/pki.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>

#define YEAR       (365 * PKI_DAY)
#define FILE_BYTES (64 * 1024)

static const char *const configs[] = {"config", "stranger", "expired", "ending"};

/* A CAS instance's CA certificate under its root, as the CLI pins them. */
struct chain {
    struct pki root, instance;
};

char *owner_path(const char *folder, const char *name, const char *suffix)
{
    char *path;

    if (asprintf(&path, "%s/%s%s", folder, name, suffix) < 0)
        errx(3, "sandbox: out of memory");
    return path;
}

void owner_write(const char *folder, const char *name, const char *text)
{
    _cleanup_(freep) char *path = owner_path(folder, name, "");
    _cleanup_(freep) char *temporary = owner_path(folder, name, ".tmp");
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t len = strlen(text);

    if (fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd) < 0 ||
        rename(temporary, path) < 0)
        err(3, "sandbox: cannot write %s", path);
}

char *owner_read(const char *folder, const char *name, const char *suffix)
{
    _cleanup_(freep) char *path = owner_path(folder, name, suffix);
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = calloc(1, FILE_BYTES);

    if (!text || fd < 0 || read(fd, text, FILE_BYTES - 1) <= 0)
        err(3, "sandbox: cannot read %s", path);
    return text;
}

static char *join(char *a, char *b)
{
    char *both;

    if (asprintf(&both, "%s%s", a, b) < 0)
        errx(3, "sandbox: out of memory");
    free(a);
    free(b);
    return both;
}

static struct chain make_chain(long to)
{
    struct chain chain;
    struct pki_request request = {.subject = "cas", .is_ca = true, .from = -2 * YEAR, .to = to};

    chain.root = pki_make(&request);
    request.subject = "cas-instance";
    request.issuer = &chain.root;
    chain.instance = pki_make(&request);
    return chain;
}

static char *chain_pem(const struct chain *chain)
{
    return join(pki_cert_pem(chain->instance.cert), pki_cert_pem(chain->root.cert));
}

static void free_chain(struct chain *chain)
{
    pki_free(&chain->root);
    pki_free(&chain->instance);
}

/* The certificate that a primary shows under that chain for a name. */
static void make_shown(const char *folder, const char *file, const struct chain *chain,
                       const char *name)
{
    _cleanup_(freep) char *key_file = join(strdup(file), strdup(".key"));
    _cleanup_(freep) char *cert_file = join(strdup(file), strdup(".crt"));
    unsigned char address[sizeof(struct in6_addr)];
    bool is_address =
        inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
    _cleanup_(freep) char *alt_name = join(strdup(is_address ? "IP:" : "DNS:"), strdup(name));
    _cleanup_(freep) char *key = NULL;
    _cleanup_(freep) char *certs = NULL;
    struct pki shown;

    shown = pki_make(&(struct pki_request){.subject = name,
                                           .issuer = &chain->instance,
                                           .alt_name = alt_name,
                                           .from = -PKI_DAY,
                                           .to = YEAR});
    key = pki_key_pem(shown.key);
    certs = join(pki_cert_pem(shown.cert), pki_cert_pem(chain->instance.cert));
    owner_write(folder, key_file, key);
    owner_write(folder, cert_file, certs);
    pki_free(&shown);
}

/* The second secret that later CLIs keep, 32 bytes as a text. */
static char *make_seed(void)
{
    unsigned char seed[32];
    char *text = calloc(1, 2 * sizeof seed + 1);

    if (!text || RAND_bytes(seed, sizeof seed) != 1)
        errx(3, "sandbox: no random bytes");
    for (size_t i = 0; i < sizeof seed; i++)
        snprintf(text + 2 * i, 3, "%02x", seed[i]);
    return text;
}

static void make_config(const char *folder, const char *file, const char *name,
                        const struct chain *chain, const struct pki *identity)
{
    _cleanup_(freep) char *pem = join(pki_key_pem(identity->key), pki_cert_pem(identity->cert));
    _cleanup_(freep) char *pinned = chain_pem(chain);
    _cleanup_(freep) char *file_name = join(strdup(file), strdup(".json"));
    _cleanup_(freep) char *seed = make_seed();
    _cleanup_(freep) char *text = NULL;
    json_auto_t *tree = json_pack("{s:s, s:s, s:s, s:{s:{s:s, s:s}}}", "default_cas", name,
                                  "identity", pem, "session_signing_keypair_ed25519_seed", seed,
                                  "cas_db", name, "url", "https://unset/", "chain", pinned);

    text = json_dumps(tree, JSON_INDENT(2));
    if (!text)
        errx(3, "sandbox: out of memory");
    owner_write(folder, file_name, text);
}

static void make_all(const char *folder, const char *name)
{
    const struct pki_request person = {.subject = "scone cli", .from = -YEAR, .to = 100 * YEAR};
    struct pki owner = pki_make(&person), stranger = pki_make(&person);
    struct chain good = make_chain(YEAR), other = make_chain(YEAR), expired = make_chain(-PKI_DAY);
    struct chain ending = make_chain(10 * PKI_DAY);
    _cleanup_(freep) char *owner_pem = pki_cert_pem(owner.cert);

    make_shown(folder, "good", &good, name);
    make_shown(folder, "wrong-name", &good, "another-name");
    make_shown(folder, "wrong-chain", &other, name);
    make_shown(folder, "expired", &expired, name);
    make_shown(folder, "ending", &ending, name);
    owner_write(folder, "owner.crt", owner_pem);
    make_config(folder, "expired", name, &expired, &owner);
    make_config(folder, "ending", name, &ending, &owner);
    make_config(folder, "stranger", name, &good, &stranger);
    make_config(folder, "config", name, &good, &owner);
    free_chain(&good);
    free_chain(&other);
    free_chain(&expired);
    free_chain(&ending);
    pki_free(&owner);
    pki_free(&stranger);
}

void owner_make(const char *folder, const char *name)
{
    _cleanup_(freep) char *last = owner_path(folder, "config", ".json");

    if (access(last, F_OK) == 0)
        return;
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        err(3, "sandbox: cannot make %s", folder);
    make_all(folder, name);
}

static void set_url(const char *folder, const char *config, unsigned port)
{
    _cleanup_(freep) char *path = owner_path(folder, config, ".json");
    _cleanup_(freep) char *file = join(strdup(config), strdup(".json"));
    _cleanup_(freep) char *text = NULL;
    json_auto_t *tree = json_load_file(path, 0, NULL);
    json_t *entry;
    const char *name;

    json_object_foreach (json_object_get(tree, "cas_db"), name, entry) {
        bool is_ipv6 = strchr(name, ':') != NULL;

        json_object_set_new(
            entry, "url",
            json_sprintf("https://%s%s%s:%u/", is_ipv6 ? "[" : "", name, is_ipv6 ? "]" : "", port));
    }
    text = json_dumps(tree, JSON_INDENT(2));
    if (!text)
        errx(3, "sandbox: %s is damaged", path);
    owner_write(folder, file, text);
}

void owner_set_port(const char *folder, unsigned port)
{
    for (size_t i = 0; i < ELEMENTS(configs); i++)
        set_url(folder, configs[i], port);
}
