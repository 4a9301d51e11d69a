/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wipe.h"

#include <curl/curl.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <string.h>

static void wipe_free(void *p)
{
    if (p)
        explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

/* realloc() might move the block and leave the old one as it is. */
static void *wipe_realloc(void *old, size_t size)
{
    size_t have = old ? malloc_usable_size(old) : 0;
    void *next;

    if (size > 0 && size <= have)
        return old;
    /* NOLINTNEXTLINE(clang-analyzer-optin.portability.UnixAPI): realloc(NULL, 0) is malloc(0) */
    next = size > 0 || !old ? malloc(size) : NULL;
    if (next && old)
        memcpy(next, old, have);
    if (next || size == 0)
        wipe_free(old);
    return next;
}

/* libyaml cannot be told: its own names for these, which it looks up as any other, come first. */
__attribute__((visibility("default"))) void yaml_free(void *p);
__attribute__((visibility("default"))) void *yaml_realloc(void *old, size_t size);

void yaml_free(void *p)
{
    wipe_free(p);
}

void *yaml_realloc(void *old, size_t size)
{
    return wipe_realloc(old, size > 0 ? size : 1);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return wipe_realloc(old, size);
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    wipe_free(p);
}

int wipe_what_is_freed(struct casb_error *err)
{
    json_set_alloc_funcs(malloc, wipe_free);
    if (!CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free))
        return err_set(err, CASB_EFAILED, "OpenSSL was used before its memory could be wiped");
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_free, wipe_realloc, strdup, calloc))
        return err_set(err, CASB_EFAILED, "libcurl cannot be initialised");
    return 0;
}
