/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/auth.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/file.h"
#include "base/plog.h"
#include "base/text.h"
#include "base/tls.h"

#include <ctype.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define TOKEN_BYTES   (256 * 1024)
#define TOKEN_MAX_AGE (60 * CLOCK_S)
#define EXPIRY_MARGIN (60 * CLOCK_S)
#define NEVER         INT64_MAX
#define LONG_MS       (INT64_MAX / 2 / CLOCK_MS) /* more cannot be added to a time in ns */

/* An HTTP client with one client certificate: lives as long as anybody uses it. */
struct auth_link {
    unsigned refs; /* guarded by auth->lock */
    struct http_client *http;
    char *cert_pem; /* of a plugin, or NULL */
};

/* A renewal's outcome, not yet in place. */
struct fresh {
    char *authorization;
    struct auth_link *link; /* NULL: the old one stays */
    int64_t renew_at_ns;
};

struct auth {
    const struct kubecontext *config;
    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t renewed;
    bool renewing; /* a thread is at it, without the lock */
    unsigned generation;
    int64_t renew_at_ns;
    char *authorization;
    struct auth_link *link;
};

static void link_free(struct auth_link *link)
{
    if (!link)
        return;
    http_client_free(link->http);
    free(link->cert_pem);
    free(link);
}
DEFINE_FREEP(struct auth_link *, link_free)

static int link_new(const struct kubecontext *config, const char *cert_pem, const char *key_pem,
                    struct auth_link **ret, struct casb_error *err)
{
    const struct http_config http = {
        .ca_pem = config->ca_pem,
        .client_cert_pem = cert_pem ? cert_pem : config->cert_pem,
        .client_key_pem = key_pem ? key_pem : config->key_pem,
        .server_name = config->tls_server_name,
        .proxy = config->proxy_url,
        .user = config->user,
        .password = config->password,
        .user_agent = PACKAGE_NAME "/" PACKAGE_VERSION,
        .insecure = config->insecure,
        .partial_chain = true, /* Go takes any given certificate for an anchor */
        .allow_http = !strncmp(config->server, "http:", 5),
    };
    _cleanup_(link_freep) struct auth_link *link = calloc(1, sizeof *link);
    int r;

    if (!link || text_dup(cert_pem, &link->cert_pem))
        return err_nomem(err);
    link->refs = 1;
    r = http_client_new(&http, &link->http, err);
    if (r)
        return r;
    *ret = TAKE_PTR(link);
    return 0;
}

/* A token goes into a header line: nothing that could end it, or is none. */
static int bearer(const char *token, size_t len, const char *origin, char **ret,
                  struct casb_error *err)
{
    if (!len)
        return err_set(err, CASB_EINVALID, "token of %s is empty", origin);
    for (size_t i = 0; i < len; i++)
        if (!isgraph((unsigned char)token[i]))
            return err_set(err, CASB_EINVALID, "token of %s has characters that no token has",
                           origin);
    return asprintf(ret, "Authorization: Bearer %.*s", (int)len, token) < 0 ? err_nomem(err) : 0;
}

static int read_token(const struct kubecontext *config, char **ret, struct casb_error *err)
{
    _cleanup_(buf_free_secret) struct buf text = BUF_INIT(TOKEN_BYTES);
    const char *token;
    size_t len;
    int r = file_read(config->token_file, &text, err);

    if (r)
        return err_wrap(err, r, "unable to read tokenFile");
    token = buf_text(&text);
    token += strspn(token, " \t\r\n");
    len = strlen(token);
    while (len && isspace((unsigned char)token[len - 1]))
        len--;
    return bearer(token, len, config->token_file, ret, err);
}

/* What is left for a credential: a minute less than it says, or half where that is little. */
static int64_t renewal_time(int64_t expiry_ms)
{
    int64_t left_ms = expiry_ms - clock_wall_ms(), left_ns;

    if (!expiry_ms || left_ms > LONG_MS)
        return NEVER;
    if (left_ms <= 0)
        return 0;
    left_ns = left_ms * CLOCK_MS;
    return clock_now_ns() + (left_ns > 2 * EXPIRY_MARGIN ? left_ns - EXPIRY_MARGIN : left_ns / 2);
}

static int renew_by_plugin(struct auth *auth, const struct casb_host *host,
                           const struct casb_call *call, struct fresh *ret, struct casb_error *err)
{
    struct exec_credential credential = {0};
    int r = exec_run(&auth->config->plugin, host, call, &credential, err);

    if (!r && credential.token)
        r = bearer(credential.token, strlen(credential.token), "the exec plugin",
                   &ret->authorization, err);
    /* only the thread that renews changes auth->link */
    if (!r && credential.cert_pem && !text_equal(credential.cert_pem, auth->link->cert_pem))
        r = link_new(auth->config, credential.cert_pem, credential.key_pem, &ret->link, err);
    ret->renew_at_ns = renewal_time(credential.expiry_ms);
    exec_credential_free(&credential);
    return r;
}

/* A pipe or device gives its token once; who opens it anew may wait for ever. */
static bool is_stream(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int keep_token(const struct auth *auth, struct fresh *ret, struct casb_error *err)
{
    return text_dup(auth->authorization, &ret->authorization) ? err_nomem(err) : 0;
}

/* Without a readable file the token that was good a minute ago, or the inline one, is tried. */
static int renew_by_file(struct auth *auth, const struct casb_host *host, struct fresh *ret,
                         struct casb_error *err)
{
    const char *inlined = auth->config->token;
    struct casb_error why = {0};
    bool once = is_stream(auth->config->token_file);
    int r;

    ret->renew_at_ns = once ? NEVER : clock_now_ns() + TOKEN_MAX_AGE;
    if (once && auth->authorization)
        return keep_token(auth, ret, err);
    r = read_token(auth->config, &ret->authorization, &why);
    if (!r)
        return 0;
    if (!auth->authorization && !inlined)
        return err_set(err, r, "%s", why.text);
    plog(host, CASB_WARN, NULL, "%s; going on with the token known before", why.text);
    if (auth->authorization)
        return keep_token(auth, ret, err);
    return bearer(inlined, strlen(inlined), "the kubeconfig", &ret->authorization, err);
}

static int renew_unlocked(struct auth *auth, const struct casb_host *host,
                          const struct casb_call *call, struct fresh *ret, struct casb_error *err)
{
    const char *token = auth->config->token;

    if (auth->config->token_file)
        return renew_by_file(auth, host, ret, err);
    if (auth->config->plugin.exec)
        return renew_by_plugin(auth, host, call, ret, err);
    ret->renew_at_ns = NEVER;
    return token ? bearer(token, strlen(token), "the kubeconfig", &ret->authorization, err) : 0;
}

static struct auth_link *drop_link(struct auth_link *link)
{
    return --link->refs ? NULL : link;
}

/* Called and left with the lock held; gives it up while it works. */
static int renew(struct auth *auth, const struct casb_host *host, const struct casb_call *call,
                 struct casb_error *err)
{
    _cleanup_(link_freep) struct auth_link *unused = NULL;
    struct fresh fresh = {0};
    int r;

    auth->renewing = true;
    pthread_mutex_unlock(&auth->lock);
    r = renew_unlocked(auth, host, call, &fresh, err);
    pthread_mutex_lock(&auth->lock);
    auth->renewing = false;
    pthread_cond_broadcast(&auth->renewed);
    if (r) {
        tls_secret_free(fresh.authorization);
        return r;
    }
    tls_secret_free(auth->authorization);
    auth->authorization = fresh.authorization;
    auth->renew_at_ns = fresh.renew_at_ns;
    auth->generation++;
    if (fresh.link) {
        unused = drop_link(auth->link);
        auth->link = fresh.link;
    }
    return 0;
}

/* Waits a moment for the thread that renews, so that a cancelled call is noticed. */
static int wait_renewed(struct auth *auth, const struct casb_call *call, struct casb_error *err)
{
    int r = clock_check(call);

    if (r)
        return err_set(err, r, "waiting for new credentials");
    cond_wait(&auth->renewed, &auth->lock, 100 * CLOCK_MS);
    return 0;
}

static int ensure_fresh(struct auth *auth, const struct casb_host *host,
                        const struct casb_call *call, struct casb_error *err)
{
    unsigned generation = auth->generation;
    int r = 0;

    while (!r && auth->generation == generation && clock_now_ns() >= auth->renew_at_ns)
        r = auth->renewing ? wait_renewed(auth, call, err) : renew(auth, host, call, err);
    return r;
}

int auth_take(struct auth *auth, const struct casb_host *host, const struct casb_call *call,
              struct auth_ticket *ret, struct casb_error *err)
{
    int r;

    pthread_mutex_lock(&auth->lock);
    r = ensure_fresh(auth, host, call, err);
    if (!r && text_dup(auth->authorization, &ret->authorization))
        r = err_nomem(err);
    if (!r) {
        ret->link = auth->link;
        ret->link->refs++;
        ret->http = auth->link->http;
        ret->generation = auth->generation;
    }
    pthread_mutex_unlock(&auth->lock);
    return r;
}

bool auth_refused(struct auth *auth, const struct auth_ticket *ticket)
{
    bool renewable = auth->config->token_file || auth->config->plugin.exec;

    pthread_mutex_lock(&auth->lock);
    if (renewable && auth->generation == ticket->generation)
        auth->renew_at_ns = 0;
    pthread_mutex_unlock(&auth->lock);
    return renewable;
}

void auth_ticket_free(struct auth *auth, struct auth_ticket *ticket)
{
    _cleanup_(link_freep) struct auth_link *unused = NULL;

    if (ticket->link) {
        pthread_mutex_lock(&auth->lock);
        unused = drop_link(ticket->link);
        pthread_mutex_unlock(&auth->lock);
    }
    tls_secret_free(ticket->authorization);
    *ticket = (struct auth_ticket){0};
}

static int auth_init(struct auth *auth)
{
    int r = cond_init(&auth->renewed);

    if (!r)
        r = pthread_mutex_init(&auth->lock, NULL);
    return r;
}

int auth_new(const struct casb_host *host, const struct kubecontext *config, struct auth **ret,
             struct casb_error *err)
{
    const struct casb_call at_once = {.deadline_ns = NEVER, .cancel_fd = -1};
    _cleanup_(auth_freep) struct auth *auth = NULL;
    struct auth *raw = calloc(1, sizeof *raw);
    int r;

    if (!raw || auth_init(raw)) {
        free(raw);
        return err_nomem(err);
    }
    auth = raw;
    auth->config = config;
    r = link_new(config, NULL, NULL, &auth->link, err);
    if (!r && !config->plugin.exec) {
        pthread_mutex_lock(&auth->lock);
        r = renew(auth, host, &at_once, err);
        pthread_mutex_unlock(&auth->lock);
    }
    if (r)
        return r;
    *ret = TAKE_PTR(auth);
    return 0;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    tls_secret_free(auth->authorization);
    link_free(auth->link);
    pthread_cond_destroy(&auth->renewed);
    pthread_mutex_destroy(&auth->lock);
    free(auth);
}
