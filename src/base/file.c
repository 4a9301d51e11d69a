/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

int file_read(const char *path, struct buf *out, struct casb_error *err)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char piece[16384];
    ssize_t n;
    int r = 0;

    if (fd < 0)
        return err_set_errno(err, errno, "read '%s'", path);
    while (r == 0 && (n = read(fd, piece, sizeof piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "read '%s'", path);
        r = buf_append(out, piece, (size_t)n);
    }
    explicit_bzero(piece, sizeof piece);
    if (r == CASB_EINVALID)
        return err_set(err, r, "read '%s': larger than %zu bytes", path, out->limit);
    return r ? err_nomem(err) : 0;
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

/* Writes, syncs and closes; an error of close() counts too (NFS, quota). Returns an errno. */
static int fill(int fd, const void *data, size_t len)
{
    int failed = write_all(fd, data, len);

    if (!failed && fsync(fd))
        failed = errno;
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
    return fd < 0 || fsync(fd) ? errno : 0;
}

static int write_temporary(const char *path, const char *temporary, int fd, mode_t mode,
                           const void *data, size_t len)
{
    int failed = fchmod(fd, mode) ? errno : 0;

    if (failed)
        close(fd);
    else
        failed = fill(fd, data, len);
    if (!failed && rename(temporary, path))
        failed = errno;
    if (failed)
        unlink(temporary);
    return failed ? failed : sync_folder(path);
}

int file_write(const char *path, const void *data, size_t len, mode_t mode, struct casb_error *err)
{
    _cleanup_(freep) char *temporary = NULL;
    int fd, failed;

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        temporary = NULL;
        return err_nomem(err);
    }
    fd = mkostemp(temporary, O_CLOEXEC);
    failed = fd < 0 ? errno : write_temporary(path, temporary, fd, mode, data, len);
    return failed ? err_set_errno(err, failed, "write '%s'", path) : 0;
}

int file_write_private(const char *path, const void *data, size_t len, struct casb_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int failed = fd < 0 ? errno : fill(fd, data, len);

    if (failed && fd >= 0)
        unlink(path);
    return failed ? err_set_errno(err, failed, "write '%s'", path) : 0;
}

int file_private_dir(const char *prefix, char **ret_path, struct casb_error *err)
{
    const char *base = process_env("XDG_RUNTIME_DIR");
    _cleanup_(freep) char *path = NULL;

    if (text_empty(base))
        base = process_env("TMPDIR");
    if (text_empty(base))
        base = "/tmp";
    if (asprintf(&path, "%s/%s.XXXXXX", base, prefix) < 0) {
        path = NULL;
        return err_nomem(err);
    }
    if (!mkdtemp(path))
        return err_set_errno(err, errno, "make a private folder in '%s'", base);
    *ret_path = TAKE_PTR(path);
    return 0;
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

static int check_writers(const char *path, struct casb_error *err)
{
    struct stat st;

    if (stat(path, &st))
        return err_set_errno(err, errno, "'%s'", path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return err_set(err, CASB_EDENIED, "'%s' belongs to user %u, who is neither root nor you",
                       path, (unsigned)st.st_uid);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, CASB_EDENIED, "'%s' is writable by others (mode %04o)", path,
                       (unsigned)(st.st_mode & 07777));
    return 0;
}

int file_check_trusted(const char *path, struct casb_error *err)
{
    _cleanup_(freep) char *real = realpath(path, NULL);
    int r;

    if (!real)
        return err_set_errno(err, errno, "'%s'", path);
    r = check_writers(real, err);
    return r ? r : check_writers(dirname(real), err);
}
