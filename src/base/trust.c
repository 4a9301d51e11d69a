/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define LINKS_MAX 40 /* as many as the kernel follows */

/* What is being checked, and how many links led here. */
struct walk {
    enum trust what;
    int links;
    struct casb_error *err;
};

static int check_path(struct walk *walk, const char *absolute);

/* Is it one of /proc/PID/fd, whatever it is called here? Such a link leads to no name. */
static bool is_open_file(const char *link)
{
    char folder[PATH_MAX], real[PATH_MAX];
    size_t len;

    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(link, '/') - link), link);
    if (!realpath(folder, real))
        return false;
    len = strlen(real);
    return strncmp(real, "/proc/", 6) == 0 && strcmp(real + len - 3, "/fd") == 0;
}

/* What a link points to must be as trusted as the link. */
static int check_link(struct walk *walk, const char *link)
{
    _cleanup_(freep) char *path = NULL;
    char target[PATH_MAX];
    ssize_t n = readlink(link, target, sizeof target);
    int folder = (int)(strrchr(link, '/') - link);

    if (n < 0 || n == sizeof target)
        return err_set_errno(walk->err, n < 0 ? errno : ENAMETOOLONG, "'%s'", link);
    if (++walk->links > LINKS_MAX)
        return err_set_errno(walk->err, ELOOP, "'%s'", link);
    if (is_open_file(link))
        return 0;
    if (target[0] == '/')
        folder = 0;
    if (asprintf(&path, "%.*s/%.*s", folder, link, (int)n, target) < 0) {
        path = NULL;
        return err_nomem(walk->err);
    }
    return check_path(walk, path);
}

/* As the volumes of ConfigMaps and Secrets are, whose folders have mode 2777 where there is
 * fsGroup. */
static bool is_read_only(const char *path)
{
    struct statvfs fs;

    return statvfs(path, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

/* `writable`: others may write there, and that is all right. */
static int check_entry(const char *path, const struct stat *st, bool writable,
                       struct casb_error *err)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return err_set(err, CASB_EDENIED, "'%s' belongs to user %u, who is neither root nor you",
                       path, (unsigned)st->st_uid);
    if (!writable && (st->st_mode & (S_IWGRP | S_IWOTH)) && !is_read_only(path))
        return err_set(err, CASB_EDENIED, "'%s' is writable by others (mode %04o): chmod go-w",
                       path, (unsigned)(st->st_mode & 07777));
    return 0;
}

/* Walks from the file up to the root: who can write a folder can put another one in its place. */
static int check_path(struct walk *walk, const char *absolute)
{
    _cleanup_(freep) char *path = strdup(absolute);
    char *end;

    if (!path)
        return err_nomem(walk->err);
    for (int level = 0;; level++) {
        struct stat st;
        bool sticky; /* others can add to it but replace nothing */
        int r;

        if (lstat(path, &st))
            return err_set_errno(walk->err, errno, "'%s'", path);
        sticky = level >= (int)walk->what && S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX);
        r = check_entry(path, &st, sticky || S_ISLNK(st.st_mode), walk->err);
        if (!r && S_ISLNK(st.st_mode))
            r = check_link(walk, path);
        if (r || !path[1])
            return r;
        end = strrchr(path, '/');
        end[end == path] = '\0';
    }
}

int trust_check(const char *path, enum trust what, struct casb_error *err)
{
    _cleanup_(freep) char *folder = NULL, *absolute = NULL;
    struct walk walk = {.what = what, .err = err};

    if (path[0] == '/')
        return check_path(&walk, path);
    folder = getcwd(NULL, 0);
    if (!folder)
        return err_set_errno(err, errno, "current folder");
    if (asprintf(&absolute, "%s/%s", folder, path) < 0) {
        absolute = NULL;
        return err_nomem(err);
    }
    return check_path(&walk, absolute);
}

bool trust_is_readable_by_all(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH);
}
