/* SPDX-License-Identifier: Apache-2.0 */
#include "base/program.h"

#include "base/trust.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *search_path(const char *const *env)
{
    for (; *env; env++)
        if (strncmp(*env, "PATH=", 5) == 0)
            return *env + 5;
    return "/usr/local/bin:/usr/bin:/bin";
}

/* 0, or an errno. */
static int check_program(const char *path)
{
    struct stat st;

    if (stat(path, &st))
        return errno;
    return S_ISREG(st.st_mode) && access(path, X_OK) == 0 ? 0 : EACCES;
}

/* posix_spawnp(3) would use our own PATH. What a relative folder means depends on where we were
 * started: it is passed over. */
static int find_in(const char *folders, const char *name, char ret_path[static PATH_MAX])
{
    int result = ENOENT, failed;
    char path[PATH_MAX];

    while (*name && *folders) {
        size_t len = strcspn(folders, ":");
        int n = snprintf(path, sizeof path, "%.*s/%s", (int)len, folders, name);

        failed = folders[0] == '/' && n < PATH_MAX ? check_program(path) : ENOENT;
        if (!failed) {
            memcpy(ret_path, path, (size_t)n + 1);
            return 0;
        }
        if (failed == EACCES)
            result = EACCES;
        folders += len + (folders[len] == ':');
    }
    return result;
}

const char *program_remedy(int failure)
{
    switch (failure) {
    case CASB_ENOTFOUND:
        return "install it, or name it by its path in the settings";
    case CASB_EDENIED:
        return "chmod a+x,go-w what is named there; it must belong to root or to you";
    default:
        return "look at what is named there";
    }
}

int program_find(const char *program, const char *const *env, char ret_path[static PATH_MAX],
                 struct casb_error *err)
{
    size_t len = strlen(program);
    int failed;

    if (!strchr(program, '/')) {
        failed = find_in(search_path(env), program, ret_path);
    } else {
        failed = len < PATH_MAX ? check_program(program) : ENAMETOOLONG;
        if (!failed)
            memcpy(ret_path, program, len + 1);
    }
    switch (failed) {
    case 0:
        failed = trust_check(ret_path, TRUST_FILE, err);
        return failed ? err_wrap(err, failed, "program '%s'", program) : 0;
    case EACCES:
        return err_set(err, CASB_EDENIED, "program '%s' may not be executed", program);
    case ENOENT:
        return err_set(err, CASB_ENOTFOUND, "program '%s' is not found", program);
    default:
        return err_set_errno(err, failed, "program '%s'", program);
    }
}
