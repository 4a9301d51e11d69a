/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/text.h"
#include "base/tls.h"
#include "sandbox/pki.h"

#include <time.h>

static const long hour = 3600;

static char *join(const char *a, const char *b)
{
    char *text = NULL;

    assert_true(asprintf(&text, "%s%s", a, b) >= 0);
    return text;
}

static void a_chain_has_one_digest_whatever_its_layout(void **state)
{
    struct pki root = pki_make(&(struct pki_request){.subject = "root", .is_ca = true, .to = hour});
    struct pki leaf =
        pki_make(&(struct pki_request){.subject = "leaf", .issuer = &root, .to = hour});
    char *first = pki_cert_pem(leaf.cert), *second = pki_cert_pem(root.cert);
    char *chain = join(first, second), *commented = join("a comment\n", chain);
    char *turned = join(second, first);
    char a[65], b[65], c[65];

    (void)state;
    assert_int_equal(tls_chain_sha256(chain, a, NULL), 0);
    assert_int_equal(tls_chain_sha256(commented, b, NULL), 0);
    assert_int_equal(tls_chain_sha256(turned, c, NULL), 0);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    free(first);
    free(second);
    free(chain);
    free(commented);
    free(turned);
    pki_free(&root);
    pki_free(&leaf);
}

static void what_is_no_chain_is_refused(void **state)
{
    struct pki root = pki_make(&(struct pki_request){.subject = "root", .to = hour});
    char *whole = pki_cert_pem(root.cert), *damaged = join(whole, whole);
    struct casb_error err = {0};
    char hex[65];

    (void)state;
    assert_int_equal(tls_chain_sha256("", hex, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "no certificate"));
    damaged[strlen(whole) + 60] = '!';
    err = (struct casb_error){0};
    assert_int_equal(tls_chain_sha256(damaged, hex, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "damaged"));
    free(whole);
    free(damaged);
    pki_free(&root);
}

static void the_first_certificate_to_expire_counts(void **state)
{
    struct pki root =
        pki_make(&(struct pki_request){.subject = "the root", .is_ca = true, .to = 2 * hour});
    struct pki leaf = pki_make(
        &(struct pki_request){.subject = "the leaf", .issuer = &root, .from = -hour, .to = hour});
    char *first = pki_cert_pem(root.cert), *second = pki_cert_pem(leaf.cert);
    char *chain = join(first, second), subject[128];
    int64_t end = 0, now = time(NULL);

    (void)state;
    assert_int_equal(tls_chain_expiry(chain, &end, subject, sizeof subject, NULL), 0);
    assert_in_range(end, now + hour - 60, now + hour + 60);
    assert_non_null(strstr(subject, "the leaf"));
    free(first);
    free(second);
    free(chain);
    pki_free(&root);
    pki_free(&leaf);
}

static void an_identity_is_split_into_key_and_certificate(void **state)
{
    struct pki own = pki_make(&(struct pki_request){.subject = "owner", .to = hour});
    struct pki other = pki_make(&(struct pki_request){.subject = "other", .to = hour});
    char *own_key = pki_key_pem(own.key), *own_cert = pki_cert_pem(own.cert);
    char *other_cert = pki_cert_pem(other.cert);
    char *good = join(own_key, own_cert), *turned = join(own_cert, own_key);
    char *wrong = join(own_key, other_cert), *key = NULL, *cert = NULL;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(tls_split_identity(good, &key, &cert, NULL), 0);
    assert_string_equal(key, own_key);
    assert_string_equal(cert, own_cert);
    tls_secret_free(key);
    free(cert);
    assert_int_equal(tls_split_identity(turned, &key, &cert, NULL), 0);
    assert_string_equal(cert, own_cert);
    tls_secret_free(key);
    free(cert);
    key = cert = NULL;
    assert_int_equal(tls_split_identity(wrong, &key, &cert, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "does not belong"));
    assert_int_equal(tls_split_identity(own_cert, &key, &cert, NULL), CASB_EINVALID);
    assert_int_equal(tls_split_identity(own_key, &key, &cert, NULL), CASB_EINVALID);
    assert_null(key);
    assert_null(cert);
    free(own_key);
    free(own_cert);
    free(other_cert);
    free(good);
    free(turned);
    free(wrong);
    pki_free(&own);
    pki_free(&other);
}

static char *read_data(const char *name)
{
    _cleanup_(fclosep) FILE *f = NULL;
    char path[512], *text = calloc(1, 8192);

    f = fopen(unit_data(path, sizeof path, name), "r");
    assert_true(f && text && fread(text, 1, 8191, f) > 0);
    return text;
}

static void a_documented_chain_expired_in_2021(void **state)
{
    _cleanup_(freep) char *chain = read_data("tls/expired-chain.pem");
    char subject[64], hex[65];
    int64_t end = 0;

    (void)state;
    assert_int_equal(tls_chain_expiry(chain, &end, subject, sizeof subject, NULL), 0);
    assert_int_equal(end, 1635979782); /* 2021-11-03T22:49:42Z */
    assert_string_equal(subject, "CN=cas-instance");
    assert_int_equal(tls_chain_sha256(chain, hex, NULL), 0);
    /* openssl x509 -outform DER of each, then sha256sum over both */
    assert_string_equal(hex, "da8dd305543585b65647df6ff978e77ca1ed159ed29a3f0462cee06d6b8d4834");
}

static void keys_are_read_in_all_usual_forms(void **state)
{
    static const struct {
        const char *cert, *key, *text;
    } table[] = {
        {"tls/own.crt", "tls/pkcs8.key", NULL},
        {"tls/own.crt", "tls/sec1-with-parameters.key", NULL},
        {"tls/own.crt", "tls/crlf.key", NULL},
        {"tls/own.crt", "tls/encrypted.key",
         "client certificate: the private key is encrypted: its passphrase is needed"},
        {"tls/own.crt", "tls/other.key",
         "client certificate: the private key does not belong to the certificate"},
        {"tls/own.crt", "tls/own.crt",
         "client certificate: no readable private key in the PEM text"},
        /* RSA of 1024 bits */
        {"tls/weak.crt", "tls/weak.key",
         "client certificate: OpenSSL refuses it: ee key too small"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        _cleanup_(tls_credentials_freep) struct tls_credentials *credentials = NULL;
        _cleanup_(freep) char *cert = read_data(table[i].cert), *key = read_data(table[i].key);
        struct casb_error err = {0};

        assert_int_equal(tls_credentials_read(NULL, false, cert, key, &credentials, &err),
                         table[i].text ? CASB_EINVALID : 0);
        assert_string_equal(err.text, table[i].text ? table[i].text : "");
    }
}

static void an_identity_may_have_a_key_in_another_form(void **state)
{
    _cleanup_(freep) char *old_key = read_data("tls/sec1-with-parameters.key");
    _cleanup_(freep) char *own_cert = read_data("tls/own.crt");
    _cleanup_(freep) char *pem = join(old_key, own_cert), *cert = NULL;
    _cleanup_(freep) char *want = read_data("tls/pkcs8.key");
    _cleanup_(tls_secret_freep) char *key = NULL;

    (void)state;
    assert_int_equal(tls_split_identity(pem, &key, &cert, NULL), 0);
    assert_string_equal(key, want);
    assert_string_equal(cert, own_cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_has_one_digest_whatever_its_layout),
        cmocka_unit_test(what_is_no_chain_is_refused),
        cmocka_unit_test(the_first_certificate_to_expire_counts),
        cmocka_unit_test(an_identity_is_split_into_key_and_certificate),
        cmocka_unit_test(a_documented_chain_expired_in_2021),
        cmocka_unit_test(keys_are_read_in_all_usual_forms),
        cmocka_unit_test(an_identity_may_have_a_key_in_another_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
