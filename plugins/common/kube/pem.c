/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/pem.h"

#include "base/buf.h"
#include "base/file.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#define PEM_FILE_BYTES (4 * 1024 * 1024)

int pem_read(const char *path, const char *what, char **ret, struct casb_error *err)
{
    _cleanup_(buf_free_secret) struct buf text = BUF_INIT(PEM_FILE_BYTES);
    int r = file_read(path, &text, err);

    if (r)
        return err_wrap(err, r, "unable to read %s", what);
    if (!text.len)
        return err_set(err, CASB_EINVALID, "%s '%s' is empty", what, path);
    *ret = buf_take(&text);
    return *ret ? 0 : err_nomem(err);
}

int pem_decode(const char *text, char **ret)
{
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    size_t len = strlen(text);
    unsigned char *out = malloc(len + 4);
    int head = 0, tail = 0, r = CASB_ENOMEM;

    if (ctx && out) {
        EVP_DecodeInit(ctx);
        /* OpenSSL's decoder ends silently at a '-' */
        r = !strchr(text, '-') && len < INT_MAX &&
                    EVP_DecodeUpdate(ctx, out, &head, (const unsigned char *)text, (int)len) >= 0 &&
                    EVP_DecodeFinal(ctx, out + head, &tail) == 1
                ? 0
                : CASB_EINVALID;
    }
    if (!r) {
        out[head + tail] = 0;
        *ret = (char *)TAKE_PTR(out);
    }
    EVP_ENCODE_CTX_free(ctx);
    free(out);
    return r;
}

int pem_encode(const char *text, char **ret)
{
    size_t len = strlen(text);
    char *out = malloc(4 * (len / 3 + 1) + 1);

    if (!out)
        return CASB_ENOMEM;
    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len);
    *ret = out;
    return 0;
}
