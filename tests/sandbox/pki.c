/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/pki.h"

#include "base/cleanup.h"

#include <err.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

static void must(bool good, const char *what)
{
    if (!good)
        errx(3, "sandbox: %s does not work", what);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *extension;
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension && X509_add_ext(cert, extension, -1) == 1, value);
    X509_EXTENSION_free(extension);
}

static void set_serial(X509 *cert)
{
    uint64_t serial;

    must(RAND_bytes((unsigned char *)&serial, sizeof serial) == 1, "RAND_bytes");
    must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) == 1, "the serial");
}

struct pki pki_make(const struct pki_request *request)
{
    struct pki pki = {.key = EVP_EC_gen("P-256"), .cert = X509_new()};
    const struct pki *issuer = request->issuer ? request->issuer : &pki;
    X509_NAME *name;

    must(pki.key && pki.cert, "making a key");
    name = X509_get_subject_name(pki.cert);
    must(X509_set_version(pki.cert, X509_VERSION_3) == 1, "X509_set_version");
    set_serial(pki.cert);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    (const unsigned char *)request->subject, -1, -1, 0) == 1,
         "the subject");
    must(X509_set_issuer_name(pki.cert, X509_get_subject_name(issuer->cert)) == 1, "the issuer");
    must(X509_gmtime_adj(X509_getm_notBefore(pki.cert), request->from) &&
             X509_gmtime_adj(X509_getm_notAfter(pki.cert), request->to) &&
             X509_set_pubkey(pki.cert, pki.key) == 1,
         "the validity");
    add_extension(pki.cert, issuer->cert, NID_subject_key_identifier, "hash");
    if (request->is_ca)
        add_extension(pki.cert, issuer->cert, NID_basic_constraints, "critical,CA:TRUE");
    if (request->alt_name)
        add_extension(pki.cert, issuer->cert, NID_subject_alt_name, request->alt_name);
    if (request->comment)
        add_extension(pki.cert, issuer->cert, NID_netscape_comment, request->comment);
    must(X509_sign(pki.cert, issuer->key, EVP_sha256()) > 0, "signing");
    return pki;
}

void pki_free(struct pki *pki)
{
    EVP_PKEY_free(pki->key);
    X509_free(pki->cert);
    *pki = (struct pki){0};
}

static char *take_text(BIO *bio)
{
    char *data, *text;
    long len = BIO_get_mem_data(bio, &data);

    must(len > 0, "PEM");
    text = strndup(data, (size_t)len);
    must(text, "strndup");
    BIO_free(bio);
    return text;
}

char *pki_cert_pem(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(bio && PEM_write_bio_X509(bio, cert) == 1, "PEM");
    return take_text(bio);
}

char *pki_key_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1, "PEM");
    return take_text(bio);
}

X509 *pki_parse_cert(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return cert;
}

EVP_PKEY *pki_parse_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key;
}

char *pki_comment(X509 *cert)
{
    ASN1_IA5STRING *comment = X509_get_ext_d2i(cert, NID_netscape_comment, NULL, NULL);
    char *text = NULL;

    if (comment)
        text = strndup((const char *)ASN1_STRING_get0_data(comment),
                       (size_t)ASN1_STRING_length(comment));
    ASN1_IA5STRING_free(comment);
    return text;
}
