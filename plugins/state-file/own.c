/* SPDX-License-Identifier: Apache-2.0 */
#include "state-file/own.h"

#include <errno.h>
#include <libgen.h>
#include <sys/stat.h>

/* Of the file itself, where the path is a link to it. */
static int stat_folder(const char *path, struct stat *ret, struct casb_error *err)
{
    _cleanup_(freep) char *real = realpath(path, NULL);

    return real && stat(dirname(real), ret) == 0
               ? 0
               : err_set_errno(err, errno, "folder of '%s'", path);
}

int own_check(int fd, const char *path, struct casb_error *err)
{
    const mode_t others = S_IWGRP | S_IWOTH;
    struct stat st, folder;
    mode_t expected;
    int r =
        fstat(fd, &st) ? err_set_errno(err, errno, "'%s'", path) : stat_folder(path, &folder, err);

    if (r)
        return r;
    if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != folder.st_uid)
        return err_set(err, CASB_EDENIED, "'%s' belongs to user %u, who is neither root nor you",
                       path, (unsigned)st.st_uid);
    expected = folder.st_mode & S_ISVTX ? 0 : folder.st_mode;
    if (st.st_mode & others & ~expected)
        return err_set(err, CASB_EDENIED, "'%s' is writable by others (mode %04o): chmod go-w",
                       path, (unsigned)(st.st_mode & 07777));
    return 0;
}
