/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tls.h"

#include "base/x509.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>

typedef STACK_OF(X509) chain_t;

static void chain_free(chain_t *chain)
{
    sk_X509_pop_free(chain, X509_free);
}
DEFINE_FREEP(chain_t *, chain_free)
DEFINE_FREEP(EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_FREEP(SSL_CTX *, SSL_CTX_free)

struct tls_credentials {
    X509_STORE *trusted; /* NULL: as the context has it */
    X509 *cert;          /* NULL: none is shown */
    EVP_PKEY *key;
    chain_t *chain; /* that leads from it to its root */
};

/* Without this OpenSSL would ask for the passphrase on the terminal. */
static int refuse_password(char *password, int size, int writing, void *asked)
{
    (void)password;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

/* Before calls to OpenSSL whose failure may be a lack of memory. */
static void openssl_begin(void)
{
    ERR_clear_error();
    errno = 0;
}

/*
 * After them: what came of it, 0 or CASB_EINVALID, or CASB_ENOMEM. OpenSSL's own word is that the
 * data are wrong, as it goes on without the decoder that it had no memory for.
 */
static int openssl_end(int r)
{
    unsigned long code = ERR_peek_error();
    bool nomem = errno == ENOMEM || !code; /* not even for its word */

    while ((code = ERR_get_error()))
        nomem = nomem || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    return r && nomem ? CASB_ENOMEM : r;
}

static int read_certificates(BIO *bio, chain_t *chain)
{
    bool asked = false;
    X509 *cert;

    openssl_begin();
    while ((cert = PEM_read_bio_X509(bio, NULL, refuse_password, &asked)))
        if (!sk_X509_push(chain, cert)) {
            X509_free(cert);
            return openssl_end(CASB_ENOMEM);
        }
    if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE && errno != ENOMEM)
        return openssl_end(0);
    return openssl_end(CASB_EINVALID);
}

static int read_chain(const char *pem, chain_t **ret, struct casb_error *err)
{
    _cleanup_(BIO_freep) BIO *bio = BIO_new_mem_buf(pem, -1);
    _cleanup_(chain_freep) chain_t *chain = sk_X509_new_null();
    int rc;

    if (!bio || !chain)
        return err_nomem(err);
    rc = read_certificates(bio, chain);
    if (rc == CASB_ENOMEM)
        return err_nomem(err);
    if (rc < 0)
        return err_set(err, rc, "certificate %d of the PEM text is damaged",
                       sk_X509_num(chain) + 1);
    if (sk_X509_num(chain) == 0)
        return err_set(err, CASB_EINVALID, "no certificate in the PEM text");
    *ret = TAKE_PTR(chain);
    return 0;
}

static int read_key(const char *pem, EVP_PKEY **ret, struct casb_error *err)
{
    _cleanup_(BIO_freep) BIO *bio = BIO_new_mem_buf(pem, -1);
    bool asked = false;
    EVP_PKEY *key;

    if (!bio)
        return err_nomem(err);
    openssl_begin();
    key = PEM_read_bio_PrivateKey(bio, NULL, refuse_password, &asked);
    if (openssl_end(key ? 0 : CASB_EINVALID) == CASB_ENOMEM)
        return err_nomem(err);
    if (asked)
        return err_set(err, CASB_EINVALID,
                       "the private key is encrypted: its passphrase is needed");
    if (!key)
        return err_set(err, CASB_EINVALID, "no readable private key in the PEM text");
    *ret = key;
    return 0;
}

static int read_pair(const char *cert_pem, const char *key_pem, chain_t **ret_chain,
                     EVP_PKEY **ret_key, struct casb_error *err)
{
    _cleanup_(chain_freep) chain_t *chain = NULL;
    _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
    int rc = read_key(key_pem, &key, err);

    if (rc == 0)
        rc = read_chain(cert_pem, &chain, err);
    if (rc < 0)
        return rc;
    openssl_begin();
    rc = X509_check_private_key(sk_X509_value(chain, 0), key) ? 0 : CASB_EINVALID;
    rc = openssl_end(rc);
    if (rc == CASB_ENOMEM)
        return err_nomem(err);
    if (rc)
        return err_set(err, rc, "the private key does not belong to the certificate");
    *ret_chain = TAKE_PTR(chain);
    *ret_key = TAKE_PTR(key);
    return 0;
}

static int add_der(EVP_MD_CTX *digest, const X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der), ok = 0;

    if (len > 0)
        ok = EVP_DigestUpdate(digest, der, (size_t)len);
    OPENSSL_free(der);
    return ok;
}

int tls_chain_sha256(const char *pem, char hex[static 65], struct casb_error *err)
{
    _cleanup_(chain_freep) chain_t *chain = NULL;
    _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char sum[32];
    int rc = read_chain(pem, &chain, err), ok;

    if (rc < 0)
        return rc;
    ok = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    for (int i = 0; ok && i < sk_X509_num(chain); i++)
        ok = add_der(digest, sk_X509_value(chain, i));
    if (!ok || !EVP_DigestFinal_ex(digest, sum, NULL))
        return err_set(err, CASB_EFAILED, "OpenSSL cannot compute SHA-256");
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    return 0;
}

int tls_chain_expiry(const char *pem, int64_t *ret_seconds, char *subject, size_t size,
                     struct casb_error *err)
{
    _cleanup_(chain_freep) chain_t *chain = NULL;
    const X509 *first = NULL;
    int64_t earliest = INT64_MAX;
    int rc = read_chain(pem, &chain, err);

    if (rc < 0)
        return rc;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        const X509 *cert = sk_X509_value(chain, i);
        int64_t end = x509_seconds(X509_get0_notAfter(cert));

        if (!first || end < earliest) {
            first = cert;
            earliest = end;
        }
    }
    x509_subject(subject, size, first);
    *ret_seconds = earliest;
    return 0;
}

static int read_trusted(const char *pem, bool partial_chain, X509_STORE **ret,
                        struct casb_error *err)
{
    _cleanup_(chain_freep) chain_t *chain = NULL;
    int rc = read_chain(pem, &chain, err), ok;

    if (rc < 0)
        return err_wrap(err, rc, "CA certificates");
    *ret = X509_STORE_new();
    ok = *ret && (!partial_chain || X509_STORE_set_flags(*ret, X509_V_FLAG_PARTIAL_CHAIN));
    for (int i = 0; ok && i < sk_X509_num(chain); i++)
        ok = X509_STORE_add_cert(*ret, sk_X509_value(chain, i));
    return ok ? 0 : err_nomem(err);
}

/* OpenSSL refuses what is too weak for its security level, and that is better said at once. */
static int try_credentials(const struct tls_credentials *own, struct casb_error *err)
{
    _cleanup_(SSL_CTX_freep) SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    const char *reason;

    if (!ctx)
        return err_nomem(err);
    openssl_begin();
    if (tls_credentials_use(own, ctx))
        return 0;
    reason = ERR_reason_error_string(ERR_peek_error());
    if (openssl_end(CASB_EINVALID) == CASB_ENOMEM)
        return err_nomem(err);
    return err_set(err, CASB_EINVALID, "OpenSSL refuses it: %s", reason ? reason : "");
}

static int read_own(struct tls_credentials *own, const char *cert_pem, const char *key_pem,
                    struct casb_error *err)
{
    int rc = read_pair(cert_pem, key_pem, &own->chain, &own->key, err);

    if (rc == 0) {
        own->cert = sk_X509_shift(own->chain);
        rc = try_credentials(own, err);
    }
    return rc < 0 ? err_wrap(err, rc, "client certificate") : 0;
}

int tls_credentials_read(const char *ca_pem, bool partial_chain, const char *cert_pem,
                         const char *key_pem, struct tls_credentials **ret, struct casb_error *err)
{
    _cleanup_(tls_credentials_freep) struct tls_credentials *own = calloc(1, sizeof *own);
    int rc = 0;

    if (!own)
        return err_nomem(err);
    if (ca_pem)
        rc = read_trusted(ca_pem, partial_chain, &own->trusted, err);
    if (rc == 0 && cert_pem)
        rc = read_own(own, cert_pem, key_pem, err);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(own);
    return 0;
}

bool tls_credentials_use(const struct tls_credentials *credentials, SSL_CTX *ctx)
{
    const struct tls_credentials *own = credentials;

    if (own->trusted)
        SSL_CTX_set1_cert_store(ctx, own->trusted);
    return !own->cert || SSL_CTX_use_cert_and_key(ctx, own->cert, own->key, own->chain, 1);
}

void tls_credentials_free(struct tls_credentials *credentials)
{
    if (!credentials)
        return;
    X509_STORE_free(credentials->trusted);
    X509_free(credentials->cert);
    EVP_PKEY_free(credentials->key);
    chain_free(credentials->chain);
    free(credentials);
}

static char *take_text(BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);

    return len > 0 ? strndup(data, (size_t)len) : NULL;
}

/* Secure memory is wiped when it is freed, also where OpenSSL has no secure heap. */
static char *key_text(EVP_PKEY *key)
{
    _cleanup_(BIO_freep) BIO *bio = BIO_new(BIO_s_secmem());

    return bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) ? take_text(bio)
                                                                                : NULL;
}

static char *chain_text(const chain_t *chain)
{
    _cleanup_(BIO_freep) BIO *bio = BIO_new(BIO_s_mem());
    int ok = bio != NULL;

    for (int i = 0; ok && i < sk_X509_num(chain); i++)
        ok = PEM_write_bio_X509(bio, sk_X509_value(chain, i));
    return ok ? take_text(bio) : NULL;
}

int tls_split_identity(const char *pem, char **ret_key, char **ret_cert, struct casb_error *err)
{
    _cleanup_(chain_freep) chain_t *chain = NULL;
    _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
    _cleanup_(tls_secret_freep) char *key_pem = NULL;
    _cleanup_(freep) char *cert_pem = NULL;
    int rc = read_pair(pem, pem, &chain, &key, err);

    if (rc < 0)
        return rc;
    key_pem = key_text(key);
    cert_pem = chain_text(chain);
    if (!key_pem || !cert_pem)
        return err_nomem(err);
    *ret_key = TAKE_PTR(key_pem);
    *ret_cert = TAKE_PTR(cert_pem);
    return 0;
}

void tls_secret_free(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    free(secret);
}
