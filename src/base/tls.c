/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tls.h"

#include "base/buf.h"
#include "base/text.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#define CHAIN_BYTES (1024 * 1024)

DEFINE_FREEP(BIO *, BIO_free)
DEFINE_FREEP(X509 *, X509_free)
DEFINE_FREEP(EVP_PKEY *, EVP_PKEY_free)

/* A key with a passphrase is an error, not a question on the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1;
}

/* Takes one certificate, borrowed. Non-zero ends the walk and is returned. */
typedef int certificate_fn(X509 *certificate, void *arg);

static int each_certificate(const char *pem, certificate_fn *each, void *arg,
                            struct casb_error *err)
{
    _cleanup_(BIO_freep) BIO *bio = BIO_new_mem_buf(pem, -1);
    size_t count = 0;
    int r = 0;

    if (!bio)
        return err_nomem(err);
    ERR_clear_error();
    for (;; count++) {
        _cleanup_(X509_freep) X509 *certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

        if (!certificate)
            break;
        r = each(certificate, arg);
        if (r)
            return r;
    }
    /* the end of the text shows as "no start line"; all else is damage */
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        r = err_set(err, CASB_EINVALID, "a certificate in the PEM text is damaged");
    else if (count == 0)
        r = err_set(err, CASB_EINVALID, "no certificate in the PEM text");
    ERR_clear_error();
    return r;
}

static int append_der(X509 *certificate, void *arg)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der), r;

    if (len < 0)
        return CASB_ENOMEM;
    r = buf_append(arg, der, (size_t)len);
    OPENSSL_free(der);
    return r;
}

int tls_chain_sha256(const char *pem, char hex[static 65], struct casb_error *err)
{
    struct buf der = BUF_INIT(CHAIN_BYTES);
    int r = each_certificate(pem, append_der, &der, err);

    if (!r)
        r = text_sha256(buf_text(&der), der.len, hex);
    buf_free(&der);
    return r ? err_set(err, r, "the certificates cannot be digested") : 0;
}

struct expiry {
    time_t first;
    char *subject;
    size_t size;
};

static int take_expiry(X509 *certificate, void *arg)
{
    struct expiry *expiry = arg;
    struct tm tm;
    time_t end;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) != 1)
        return CASB_EINVALID;
    end = timegm(&tm);
    if (expiry->first != 0 && end >= expiry->first)
        return 0;
    expiry->first = end;
    X509_NAME_oneline(X509_get_subject_name(certificate), expiry->subject, (int)expiry->size);
    return 0;
}

int tls_chain_expiry(const char *pem, int64_t *ret_seconds, char *subject, size_t size,
                     struct casb_error *err)
{
    struct expiry expiry = {.subject = subject, .size = size};
    int r = each_certificate(pem, take_expiry, &expiry, err);

    if (r)
        return err_set(err, r, "the certificates' validity cannot be read");
    *ret_seconds = expiry.first;
    return 0;
}

static int read_pair(const char *cert_pem, const char *key_pem, struct casb_error *err)
{
    _cleanup_(BIO_freep) BIO *cert_bio = BIO_new_mem_buf(cert_pem, -1);
    _cleanup_(BIO_freep) BIO *key_bio = BIO_new_mem_buf(key_pem, -1);
    _cleanup_(X509_freep) X509 *cert = NULL;
    _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;

    if (!cert_bio || !key_bio)
        return err_nomem(err);
    cert = PEM_read_bio_X509(cert_bio, NULL, no_passphrase, NULL);
    if (!cert)
        return err_set(err, CASB_EINVALID, "the client certificate cannot be read as PEM");
    key = PEM_read_bio_PrivateKey(key_bio, NULL, no_passphrase, NULL);
    if (!key)
        return err_set(err, CASB_EINVALID,
                       "the private key cannot be read as PEM without a passphrase");
    if (X509_check_private_key(cert, key) != 1)
        return err_set(err, CASB_EINVALID, "the private key does not belong to the certificate");
    return 0;
}

int tls_check_pair(const char *cert_pem, const char *key_pem, struct casb_error *err)
{
    int r = read_pair(cert_pem, key_pem, err);

    ERR_clear_error();
    return r;
}

/* Where the PEM block that begins at `begin` ends: behind its END line. */
static const char *block_end(const char *begin)
{
    const char *end = strstr(begin, "-----END ");

    if (!end)
        return NULL;
    end = strstr(end + 9, "-----");
    if (!end)
        return NULL;
    end += 5;
    return *end == '\n' ? end + 1 : end;
}

int tls_split_identity(const char *pem, char **ret_key, char **ret_cert, struct casb_error *err)
{
    const char *key_begin = strstr(pem, "-----BEGIN PRIVATE KEY-----");
    const char *key_end = key_begin ? block_end(key_begin) : NULL;
    const char *cert_begin = strstr(pem, "-----BEGIN CERTIFICATE-----");
    _cleanup_(tls_secret_freep) char *key = NULL;
    _cleanup_(freep) char *cert = NULL;
    int r;

    if (!key_end || !cert_begin)
        return err_set(err, CASB_EINVALID, "an identity is a private key and a certificate in PEM");
    key = strndup(key_begin, (size_t)(key_end - key_begin));
    /* the certificates are what follows up to the key, or to the end */
    cert = strndup(cert_begin,
                   cert_begin < key_begin ? (size_t)(key_begin - cert_begin) : strlen(cert_begin));
    if (!key || !cert)
        return err_nomem(err);
    r = tls_check_pair(cert, key, err);
    if (r)
        return r;
    *ret_key = TAKE_PTR(key);
    *ret_cert = TAKE_PTR(cert);
    return 0;
}

void tls_secret_free(char *secret)
{
    if (secret)
        OPENSSL_cleanse(secret, strlen(secret));
    free(secret);
}
