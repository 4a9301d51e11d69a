/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cafiles.h"

#include "base/cleanup.h"
#include "base/process.h"
#include "base/text.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/stat.h>

static const char *value_of(const char *name)
{
    const char *value = process_env(name);

    return text_empty(value) ? NULL : value;
}

const char *cafiles_file(void)
{
    return value_of("SSL_CERT_FILE");
}

const char *cafiles_folders(void)
{
    return value_of("SSL_CERT_DIR");
}

int cafiles_check_file(const char *path, struct casb_error *err)
{
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return err_set(err, CASB_EINVALID, "SSL_CERT_FILE: '%s' is no regular file", path);
    return 0;
}

static void add_folder(X509_STORE *store, const char *path)
{
    struct dirent *entry;
    DIR *folder = opendir(path);
    char file[PATH_MAX];

    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.' &&
            snprintf(file, sizeof file, "%s/%s", path, entry->d_name) < (int)sizeof file &&
            cafiles_check_file(file, NULL) == 0)
            X509_STORE_load_file(store, file);
    if (folder)
        closedir(folder);
}

void cafiles_add_folders(SSL_CTX *ctx, const char *folders)
{
    char path[PATH_MAX];

    ERR_set_mark();
    while (*folders) {
        size_t len = strcspn(folders, ":");

        if (len && len < sizeof path) {
            memcpy(path, folders, len);
            path[len] = 0;
            add_folder(SSL_CTX_get_cert_store(ctx), path);
        }
        folders += len + (folders[len] == ':');
    }
    ERR_pop_to_mark();
}
