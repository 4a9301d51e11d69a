/* SPDX-License-Identifier: Apache-2.0 */
#include "base/httpclient.h"

#include "base/cafiles.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/httphandle.h"
#include "base/text.h"
#include "base/tls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_NS (8 * CLOCK_S)
#define UNHEARD_MS         (10 * 1000)      /* what was sent must arrive by then */
#define SPARE_NS           (100 * CLOCK_MS) /* within which a connection may become free */
#define LOOK_NS            CLOCK_S          /* after which a cancelled call is over at the latest */
#define UPLOAD_BYTES       (16 * 1024L)     /* the least that libcurl takes */

void options_note(struct options *o, const char *name, CURLcode code)
{
    if (code == CURLE_OK || o->rc < 0)
        return;
    o->rc = err_set(o->err, code == CURLE_OUT_OF_MEMORY ? CASB_ENOMEM : CASB_EFAILED,
                    "libcurl refuses %s: %s", name, curl_easy_strerror(code));
}

/* NULL for no PEM, which takes a blob away. */
static const struct curl_blob *blob_of(char *pem, struct curl_blob *ret)
{
    if (!pem)
        return NULL;
    *ret = (struct curl_blob){.data = pem, .len = strlen(pem), .flags = CURL_BLOB_NOCOPY};
    return ret;
}

void handle_set_credentials(struct options *o, const struct http_client *client,
                            struct handle *handle, bool tls_proxy)
{
    struct curl_blob ca, cert, key;

    handle->credentials = tls_proxy ? NULL : client->credentials;
    SET(o, CURLOPT_CAINFO_BLOB, tls_proxy ? blob_of(client->ca_pem, &ca) : NULL);
    SET(o, CURLOPT_SSLCERT_BLOB, tls_proxy ? blob_of(client->cert_pem, &cert) : NULL);
    SET(o, CURLOPT_SSLKEY_BLOB, tls_proxy ? blob_of(client->key_pem, &key) : NULL);
}

static CURLcode prepare_tls(CURL *easy, void *ctx, void *arg)
{
    struct handle *handle = arg;

    (void)easy;
    handshake_observe(ctx, &handle->handshake);
    /* libcurl has each record's buffer freed, which is to allocate and wipe 17 KB each time */
    SSL_CTX_clear_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (handle->ca_folders)
        cafiles_add_folders(ctx, handle->ca_folders);
    if (handle->credentials && !tls_credentials_use(handle->credentials, ctx))
        return CURLE_OUT_OF_MEMORY;
    return CURLE_OK;
}

/* Without ca_pem the system's certificates count, of which the environment may say where they are.
 */
static void set_trust(struct options *o, const struct http_client *client, struct handle *handle)
{
    const char *file = cafiles_file();

    if (file)
        SET(o, CURLOPT_PROXY_CAINFO, file);
    if (client->ca_pem) {
        SET(o, CURLOPT_CAINFO, NULL);
        SET(o, CURLOPT_CAPATH, NULL);
        return;
    }
    if (file)
        SET(o, CURLOPT_CAINFO, file);
    handle->ca_folders = cafiles_folders();
    if (handle->ca_folders)
        SET(o, CURLOPT_CAPATH, NULL);
}

static void set_tls(struct options *o, const struct http_client *client, struct handle *handle)
{
    SET(o, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(o, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(o, CURLOPT_SSL_VERIFYPEER, client->insecure ? 0L : 1L);
    SET(o, CURLOPT_SSL_VERIFYHOST, client->insecure ? 0L : 2L);
    SET(o, CURLOPT_SSL_CTX_FUNCTION, prepare_tls);
    SET(o, CURLOPT_SSL_CTX_DATA, handle);
    SET(o, CURLOPT_SHARE, client->sessions);
    /* with OpenSSL libcurl takes any trusted certificate as an anchor unless told not to */
    SET(o, CURLOPT_SSL_OPTIONS, client->partial_chain ? 0L : (long)CURLSSLOPT_NO_PARTIALCHAIN);
    set_trust(o, client, handle);
}

/*
 * A kept connection whose way is dead (its address is, or a firewall forgot it) would else be found
 * out by the timeout of the request. Where the kernel cannot do it, that stays.
 */
static int prepare_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    unsigned unheard_ms = UNHEARD_MS;

    (void)arg;
    (void)purpose;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unheard_ms, sizeof unheard_ms);
    return CURL_SOCKOPT_OK;
}

static void set_connection(struct options *o, const struct http_client *client)
{
    SET(o, CURLOPT_NOSIGNAL, 1L);
    SET(o, CURLOPT_PROTOCOLS_STR, client->allow_http ? "https,http" : "https");
    SET(o, CURLOPT_FOLLOWLOCATION, 0L);
    SET(o, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(o, CURLOPT_SOCKOPTFUNCTION, prepare_socket);
    SET(o, CURLOPT_TCP_KEEPALIVE, 1L);
    /* each request gets one of these, and wipes it; ours are small */
    SET(o, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTES);
    /* a name server that does not answer must not hold a cancelled call */
    SET(o, CURLOPT_QUICK_EXIT, 1L);
    SET(o, CURLOPT_USERAGENT, client->user_agent);
    if (client->user) {
        SET(o, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(o, CURLOPT_USERNAME, client->user);
        SET(o, CURLOPT_PASSWORD, client->password ? client->password : "");
    }
}

static void handle_free(struct handle *handle)
{
    if (!handle)
        return;
    curl_easy_cleanup(handle->easy);
    curl_multi_cleanup(handle->multi);
    free(handle);
}
DEFINE_FREEP(struct handle *, handle_free)

static int handle_new(const struct http_client *client, struct handle **ret, struct casb_error *err)
{
    _cleanup_(handle_freep) struct handle *handle = calloc(1, sizeof *handle);
    struct options o = {.err = err};

    if (!handle)
        return err_nomem(err);
    o.easy = handle->easy = curl_easy_init();
    handle->multi = curl_multi_init();
    if (!handle->easy || !handle->multi)
        return err_nomem(err);
    if (curl_multi_setopt(handle->multi, CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK)
        return err_set(err, CASB_EFAILED, "libcurl refuses CURLMOPT_MAXCONNECTS");
    SET(&o, CURLOPT_ERRORBUFFER, handle->error);
    set_tls(&o, client, handle);
    set_connection(&o, client);
    if (o.rc < 0)
        return o.rc;
    *ret = TAKE_PTR(handle);
    return 0;
}

/*
 * A new connection costs more than what is done with it. Where many calls begin at once the first
 * ones are done soon, and leave theirs to the others. So one opens a connection only after a
 * moment in which none became free, and then the others have another moment. Of hundreds that
 * wait only one looks at the time; who leaves hands that on.
 */
static void await_idle(struct http_client *client, const struct casb_call *call)
{
    const int64_t begun_ns = clock_now_ns();
    int64_t left_ns = SPARE_NS;
    bool timing = false;

    while (client->busy > 0 && !client->idle && (!timing || left_ns > 0) && !clock_check(call)) {
        timing = timing || !client->timed;
        client->timed = true;
        cond_wait(&client->left, &client->lock,
                  timing ? left_ns : clock_deadline(call, LOOK_NS) - clock_now_ns());
        left_ns = (client->opened_ns > begun_ns ? client->opened_ns : begun_ns) + SPARE_NS -
                  clock_now_ns();
    }
    if (timing)
        client->timed = false;
    if (!client->timed)
        pthread_cond_signal(&client->left);
}

/* With the lock held: the call leaves what it had, to one of those that wait. */
static void leave(struct http_client *client, bool lasting)
{
    client->busy -= !lasting;
    if (client->idle)
        pthread_cond_signal(&client->left);
    else
        pthread_cond_broadcast(&client->left);
}

/* The handle used last first: its connection is the likeliest to be alive. */
int handle_take(struct http_client *client, const struct casb_call *call, bool lasting,
                struct handle **ret, struct casb_error *err)
{
    struct handle *handle;
    int rc = 0;

    pthread_mutex_lock(&client->lock);
    await_idle(client, call);
    client->busy += !lasting;
    handle = client->idle;
    if (handle)
        client->idle = handle->next;
    else
        client->opened_ns = clock_now_ns();
    pthread_mutex_unlock(&client->lock);
    if (!handle)
        rc = handle_new(client, &handle, err);
    if (rc) {
        pthread_mutex_lock(&client->lock);
        leave(client, lasting);
        pthread_mutex_unlock(&client->lock);
        return rc;
    }
    handle->lasting = lasting;
    *ret = handle;
    return 0;
}

void handle_give_back(struct http_client *client, struct handle *handle)
{
    pthread_mutex_lock(&client->lock);
    handle->next = client->idle;
    client->idle = handle;
    leave(client, handle->lasting);
    pthread_mutex_unlock(&client->lock);
}

static void handles_free(struct handle *list)
{
    while (list) {
        struct handle *handle = list;

        list = handle->next;
        handle_free(handle);
    }
}

void handle_drop(struct http_client *client, struct handle *handle)
{
    pthread_mutex_lock(&client->lock);
    handle->next = client->idle;
    client->idle = NULL;
    leave(client, handle->lasting);
    pthread_mutex_unlock(&client->lock);
    handles_free(handle);
}

static void lock_sessions(CURL *easy, curl_lock_data what, curl_lock_access access, void *arg)
{
    struct http_client *client = arg;

    (void)easy;
    (void)what;
    (void)access;
    pthread_mutex_lock(&client->sessions_lock);
}

static void unlock_sessions(CURL *easy, curl_lock_data what, void *arg)
{
    struct http_client *client = arg;

    (void)easy;
    (void)what;
    pthread_mutex_unlock(&client->sessions_lock);
}

/* Only the first connection costs certificates and signatures: the others resume its session. */
static int share_sessions(struct http_client *client)
{
    client->sessions = curl_share_init();
    if (!client->sessions || curl_share_setopt(client->sessions, CURLSHOPT_USERDATA, client) ||
        curl_share_setopt(client->sessions, CURLSHOPT_LOCKFUNC, lock_sessions) ||
        curl_share_setopt(client->sessions, CURLSHOPT_UNLOCKFUNC, unlock_sessions) ||
        curl_share_setopt(client->sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION))
        return CASB_ENOMEM;
    return 0;
}

static int check_credentials(const struct http_config *config, struct casb_error *err)
{
    if (config->allow_http && (config->user || config->client_key_pem))
        return err_set(err, CASB_EINVALID, "no credentials are sent over plain http");
    if (!config->client_cert_pem != !config->client_key_pem)
        return err_set(err, CASB_EINVALID, "a client certificate and its key need each other");
    return 0;
}

static int copy_texts(struct http_client *client, const struct http_config *config)
{
    const struct {
        const char *from;
        char **to;
    } texts[] = {
        {config->ca_pem, &client->ca_pem},
        {config->client_cert_pem, &client->cert_pem},
        {config->client_key_pem, &client->key_pem},
        {config->server_name, &client->server_name},
        {config->connect_to, &client->connect_to},
        {config->proxy, &client->proxy},
        {config->user, &client->user},
        {config->password, &client->password},
        {config->user_agent, &client->user_agent},
    };
    int rc = 0;

    for (size_t i = 0; i < ELEMENTS(texts) && rc == 0; i++)
        rc = text_dup(texts[i].from, texts[i].to);
    return rc;
}

int http_client_new(const struct http_config *config, struct http_client **ret,
                    struct casb_error *err)
{
    _cleanup_(http_client_freep) struct http_client *client = NULL;
    int rc = check_credentials(config, err);

    if (rc < 0)
        return rc;
    client = calloc(1, sizeof *client);
    if (!client)
        return err_nomem(err);
    if (cond_init(&client->left))
        return err_nomem(err);
    pthread_mutex_init(&client->lock, NULL);
    pthread_mutex_init(&client->sessions_lock, NULL);
    client->insecure = config->insecure;
    client->partial_chain = config->partial_chain;
    client->allow_http = config->allow_http;
    client->connect_timeout_ns =
        config->connect_timeout_ns ? config->connect_timeout_ns : CONNECT_TIMEOUT_NS;
    if (share_sessions(client) < 0 || copy_texts(client, config) < 0)
        return err_nomem(err);
    rc = tls_credentials_read(client->ca_pem, client->partial_chain, client->cert_pem,
                              client->key_pem, &client->credentials, err);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(client);
    return 0;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    handles_free(client->idle);
    curl_share_cleanup(client->sessions);
    pthread_mutex_destroy(&client->sessions_lock);
    pthread_cond_destroy(&client->left);
    pthread_mutex_destroy(&client->lock);
    tls_credentials_free(client->credentials);
    tls_secret_free(client->key_pem);
    tls_secret_free(client->password);
    free(client->ca_pem);
    free(client->cert_pem);
    free(client->server_name);
    free(client->connect_to);
    tls_secret_free(client->proxy);
    free(client->user);
    free(client->user_agent);
    free(client);
}
