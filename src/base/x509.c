/* SPDX-License-Identifier: Apache-2.0 */
#include "base/x509.h"

#include "base/text.h"

#include <openssl/x509v3.h>
#include <time.h>

int64_t x509_seconds(const ASN1_TIME *time)
{
    struct tm tm;

    return ASN1_TIME_to_tm(time, &tm) ? timegm(&tm) : INT64_MIN;
}

static char *clean_bio(char *out, size_t size, BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);

    return text_clean_bytes(out, size, data, len > 0 ? (size_t)len : 0);
}

char *x509_subject(char *out, size_t size, const X509 *cert)
{
    _cleanup_(BIO_freep) BIO *bio = BIO_new(BIO_s_mem());

    if (!bio || X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
                                   XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) < 0)
        return text_clean(out, size, "?");
    return clean_bio(out, size, bio);
}

char *x509_names(char *out, size_t size, const X509 *cert)
{
    _cleanup_(BIO_freep) BIO *bio = BIO_new(BIO_s_mem());
    int at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);

    if (!bio || at < 0 || !X509V3_EXT_print(bio, X509_get_ext(cert, at), 0, 0))
        return x509_subject(out, size, cert);
    return clean_bio(out, size, bio);
}
