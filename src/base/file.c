/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/process.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS_MAX 40 /* as many as the kernel follows */
#define TEMPORARY ".tmp-"

/* Reads to the end. Returns 0, a CASB class, or an errno, which is positive. */
static int read_all(int fd, struct buf *out)
{
    char piece[16384];
    ssize_t n;
    int r = 0;

    while (!r && (n = read(fd, piece, sizeof piece)) != 0) {
        if (n > 0)
            r = buf_append(out, piece, (size_t)n);
        else if (errno != EINTR)
            r = errno;
    }
    explicit_bzero(piece, sizeof piece); /* it may have been a secret */
    return r;
}

int file_read(const char *path, struct buf *out, struct casb_error *err)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int r = fd < 0 ? errno : read_all(fd, out);

    if (!r)
        return 0;
    buf_reset(out);
    if (r > 0)
        return err_set_errno(err, r, "read '%s'", path);
    if (r == CASB_EINVALID)
        return err_set(err, r, "read '%s': larger than %zu bytes", path, out->limit);
    return err_nomem(err);
}

static int write_all(int fd, const char *data, size_t len)
{
    ssize_t n;

    while (len > 0) {
        n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* EINVAL: a pipe, a device, or a file system that has nothing to sync. */
static int sync_fd(int fd)
{
    return fsync(fd) && errno != EINVAL ? errno : 0;
}

/* Writes, syncs and closes; an error of close() counts too (NFS, quota). Returns an errno. */
static int fill(int fd, const void *data, size_t len)
{
    int failed = write_all(fd, data, len);

    if (!failed)
        failed = sync_fd(fd);
    if (close(fd) && !failed)
        failed = errno;
    return failed;
}

static int sync_folder(const char *path)
{
    _cleanup_(freep) char *copy = strdup(path);
    _cleanup_(closep) int fd = -1;

    if (!copy)
        return ENOMEM;
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? errno : sync_fd(fd);
}

static int replace(const char *path, const void *data, size_t len, mode_t mode)
{
    _cleanup_(freep) char *temporary = NULL;
    int fd, failed;

    if (asprintf(&temporary, "%s" TEMPORARY "XXXXXX", path) < 0) {
        temporary = NULL;
        return ENOMEM;
    }
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return errno;
    if (fchmod(fd, mode)) {
        failed = errno;
        close(fd);
    } else {
        failed = fill(fd, data, len);
    }
    if (!failed && rename(temporary, path))
        failed = errno;
    if (failed)
        unlink(temporary);
    return failed ? failed : sync_folder(path);
}

static int write_through(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    return fd < 0 ? errno : fill(fd, data, len);
}

int file_write(const char *path, const void *data, size_t len, mode_t mode, struct casb_error *err)
{
    _cleanup_(freep) char *behind_links = NULL;
    struct stat st;
    int failed;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        failed = write_through(path, data, len);
    } else {
        behind_links = realpath(path, NULL);
        failed = replace(behind_links ? behind_links : path, data, len, mode);
    }
    return failed ? err_set_errno(err, failed, "write '%s'", path) : 0;
}

void file_remove_leftovers(const char *path)
{
    _cleanup_(freep) char *real = realpath(path, NULL);
    _cleanup_(freep) char *folder = strdup(real ? real : path);
    _cleanup_(freep) char *prefix = NULL;
    const struct dirent *entry;
    DIR *dir;

    if (!folder || asprintf(&prefix, "%s" TEMPORARY, basename(folder)) < 0) {
        prefix = NULL;
        return;
    }
    dir = opendir(dirname(folder));
    if (!dir)
        return;
    while ((entry = readdir(dir)))
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

int file_write_private(const char *path, const void *data, size_t len, struct casb_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int failed = fd < 0 ? errno : fill(fd, data, len);

    if (failed && fd >= 0)
        unlink(path);
    return failed ? err_set_errno(err, failed, "write '%s'", path) : 0;
}

static const char *absolute(const char *folder)
{
    return folder && folder[0] == '/' ? folder : NULL;
}

void file_private_places(const char *places[static FILE_PRIVATE_PLACES])
{
    places[0] = absolute(process_env("XDG_RUNTIME_DIR"));
    places[1] = "/dev/shm";
    places[2] = absolute(process_env("TMPDIR"));
    places[3] = "/tmp";
}

static int make_private_dir(const char *place, const char *prefix, char **ret_path)
{
    _cleanup_(freep) char *path = NULL;

    if (!place)
        return ENOENT;
    if (asprintf(&path, "%s/%s.XXXXXX", place, prefix) < 0) {
        path = NULL;
        return ENOMEM;
    }
    if (!mkdtemp(path))
        return errno;
    *ret_path = TAKE_PTR(path);
    return 0;
}

int file_private_dir(const char *prefix, char **ret_path, struct casb_error *err)
{
    const char *places[FILE_PRIVATE_PLACES];
    int failed = 0;

    file_private_places(places);
    for (size_t i = 0; i < ELEMENTS(places); i++) {
        failed = make_private_dir(places[i], prefix, ret_path);
        if (!failed)
            return 0;
    }
    return err_set_errno(err, failed, "make a private folder in '/tmp'");
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path) && errno != ENOENT ? -1 : 0;
}

int file_remove_tree(const char *path, struct casb_error *err)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) && errno != ENOENT)
        return err_set_errno(err, errno, "remove '%s'", path);
    return 0;
}

static int check_path(const char *absolute, int links, struct casb_error *err);

/* What a link points to must be as trusted as the link. */
static int check_link(const char *link, int links, struct casb_error *err)
{
    _cleanup_(freep) char *path = NULL;
    char target[PATH_MAX];
    ssize_t n = readlink(link, target, sizeof target);
    int folder = (int)(strrchr(link, '/') - link);

    if (n < 0 || n == sizeof target)
        return err_set_errno(err, n < 0 ? errno : ENAMETOOLONG, "'%s'", link);
    if (target[0] == '/')
        folder = 0;
    if (asprintf(&path, "%.*s/%.*s", folder, link, (int)n, target) < 0) {
        path = NULL;
        return err_nomem(err);
    }
    return check_path(path, links + 1, err);
}

/* `writable`: others may write there, and that is all right. */
static int check_entry(const char *path, const struct stat *st, bool writable,
                       struct casb_error *err)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return err_set(err, CASB_EDENIED, "'%s' belongs to user %u, who is neither root nor you",
                       path, (unsigned)st->st_uid);
    if (!writable && (st->st_mode & (S_IWGRP | S_IWOTH)))
        return err_set(err, CASB_EDENIED, "'%s' is writable by others (mode %04o)", path,
                       (unsigned)(st->st_mode & 07777));
    return 0;
}

/* Walks from the file up to the root: who can write a folder can put another one in its place. */
static int check_path(const char *absolute, int links, struct casb_error *err)
{
    _cleanup_(freep) char *path = strdup(absolute);
    char *end;

    if (!path)
        return err_nomem(err);
    if (links > LINKS_MAX)
        return err_set_errno(err, ELOOP, "'%s'", absolute);
    for (int level = 0;; level++) {
        struct stat st;
        bool sticky; /* others can add to it but replace nothing: fine for /tmp on the way */
        int r;

        if (lstat(path, &st))
            return err_set_errno(err, errno, "'%s'", path);
        sticky = level > 1 && (st.st_mode & S_ISVTX);
        r = check_entry(path, &st, sticky || S_ISLNK(st.st_mode), err);
        if (!r && S_ISLNK(st.st_mode))
            r = check_link(path, links, err);
        if (r || !path[1])
            return r;
        end = strrchr(path, '/');
        end[end == path] = '\0';
    }
}

int file_check_trusted(const char *path, struct casb_error *err)
{
    _cleanup_(freep) char *folder = NULL, *absolute = NULL;

    if (path[0] == '/')
        return check_path(path, 0, err);
    folder = getcwd(NULL, 0);
    if (!folder)
        return err_set_errno(err, errno, "current folder");
    if (asprintf(&absolute, "%s/%s", folder, path) < 0) {
        absolute = NULL;
        return err_nomem(err);
    }
    return check_path(absolute, 0, err);
}
