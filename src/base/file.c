/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/process.h"
#include "base/text.h"
#include "base/trust.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define TEMPORARY ".tmp-"
#define RANDOM    "XXXXXX" /* what mkostemp(3) replaces by letters and digits */

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

static void leave_out_bom(struct buf *text)
{
    size_t bom = text_bom(text->data, text->len);

    if (bom) {
        text->len -= bom;
        memmove(text->data, text->data + bom, text->len + 1);
    }
}

int file_read_fd(int fd, const char *path, struct buf *out, struct casb_error *err)
{
    int r = read_all(fd, out);

    if (!r) {
        leave_out_bom(out);
        return 0;
    }
    buf_reset(out);
    if (r > 0)
        return err_set_errno(err, r, "read '%s'", path);
    if (r == CASB_EINVALID)
        return err_set(err, r, "read '%s': larger than %zu bytes", path, out->limit);
    return err_nomem(err);
}

int file_read(const char *path, struct buf *out, struct casb_error *err)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    return fd < 0 ? err_set_errno(err, errno, "read '%s'", path) : file_read_fd(fd, path, out, err);
}

void file_give_to_folder(int fd, const char *path)
{
    _cleanup_(freep) char *copy = strdup(path);
    struct stat st;

    if (geteuid() == 0 && copy && stat(dirname(copy), &st) == 0 && st.st_uid != 0)
        (void)!fchown(fd, st.st_uid, st.st_gid);
}

int file_open_regular(const char *path, int flags, int *ret_fd, struct casb_error *err)
{
    _cleanup_(closep) int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    struct stat st;

    /* EISDIR, ENXIO: a folder, and a pipe without a reader, that should be written */
    if ((fd < 0 && errno != EISDIR && errno != ENXIO) || (fd >= 0 && fstat(fd, &st)))
        return err_set_errno(err, errno, "open '%s'", path);
    if (fd < 0 || !S_ISREG(st.st_mode))
        return err_set(err, CASB_EINVALID, "'%s' is no regular file", path);
    if (flags & O_CREAT)
        file_give_to_folder(fd, path);
    *ret_fd = TAKE_FD(fd);
    return 0;
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

/* A pipe, a device, or a file system that has nothing to sync. */
static bool cannot_sync(int failed)
{
    return failed == EINVAL || failed == ENOSYS || failed == EOPNOTSUPP;
}

static int sync_fd(int fd)
{
    return fsync(fd) && !cannot_sync(errno) ? errno : 0;
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
    if (fd < 0)
        return errno == EACCES ? 0 : errno; /* it can be written, but not read: nor synced */
    return sync_fd(fd);
}

static int replace(const char *path, const void *data, size_t len, mode_t mode)
{
    _cleanup_(freep) char *temporary = NULL;
    int fd, failed;

    if (asprintf(&temporary, "%s" TEMPORARY RANDOM, path) < 0) {
        temporary = NULL;
        return ENOMEM;
    }
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return errno;
    /* mkostemp() made it its owner's alone: so it stays on a file system that has no modes. */
    (void)!fchmod(fd, mode);
    file_give_to_folder(fd, temporary);
    failed = fill(fd, data, len);
    if (!failed && rename(temporary, path))
        failed = errno;
    if (failed)
        unlink(temporary);
    return failed ? failed : sync_folder(path);
}

/*
 * Where `path` leads to: links included, since one that leads to nothing yet names the place, too.
 * Returns an errno.
 */
static int find_target(const char *path, char **ret)
{
    _cleanup_(freep) char *folder = strdup(path), *next = NULL;
    char link[PATH_MAX];
    ssize_t len;

    *ret = realpath(path, NULL);
    if (*ret || errno != ENOENT)
        return *ret ? 0 : errno;
    if (access(path, F_OK) == 0) /* as /dev/stdout leads to a file that was removed */
        return ENOENT;
    len = readlink(path, link, sizeof link);
    if (len < 0)
        return text_dup(path, ret) ? ENOMEM : 0;
    if (!folder ||
        asprintf(&next, "%s/%.*s", *link == '/' ? "" : dirname(folder), (int)len, link) < 0) {
        next = NULL;
        return ENOMEM;
    }
    return find_target(next, ret); /* it ends: realpath() has found no loop */
}

int file_write(const char *path, const void *data, size_t len, mode_t mode, struct casb_error *err)
{
    _cleanup_(freep) char *target = NULL;
    struct stat st;
    int failed;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return err_set(err, CASB_EINVALID, "'%s' is no regular file", path);
    failed = find_target(path, &target);
    if (!failed)
        failed = replace(target, data, len, mode);
    return failed ? err_set_errno(err, failed, "write '%s'", path) : 0;
}

int file_write_through(const char *path, const void *data, size_t len, mode_t mode,
                       struct casb_error *err)
{
    struct stat st;
    int fd, failed;

    if (stat(path, &st) || S_ISREG(st.st_mode))
        return file_write(path, data, len, mode, err);
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    failed = fd < 0 ? errno : fill(fd, data, len);
    return failed ? err_set_errno(err, failed, "write '%s'", path) : 0;
}

int file_check_replaceable(const char *path, const char *what, bool (*is_ours)(const char *begin),
                           struct casb_error *err)
{
    _cleanup_(closep) int fd = -1;
    char begin[64];
    struct stat st;
    ssize_t len;
    int r;

    if (stat(path, &st) || (S_ISREG(st.st_mode) && st.st_size == 0))
        return 0;
    r = file_open_regular(path, O_RDONLY, &fd, err);
    if (r)
        return r;
    len = read(fd, begin, sizeof begin - 1);
    begin[len > 0 ? len : 0] = '\0';
    if (is_ours(begin))
        return 0;
    return err_set(err, CASB_EINVALID, "'%s' is another's file and no %s: it is left untouched",
                   path, what);
}

/* As replace() calls its file: what else is called alike is another's. */
static bool is_temporary(const char *name, const char *prefix)
{
    size_t len = strlen(prefix);

    if (strncmp(name, prefix, len) != 0 || strlen(name) != len + strlen(RANDOM))
        return false;
    for (const char *c = name + len; *c; c++)
        if (!isalnum((unsigned char)*c))
            return false;
    return true;
}

void file_remove_leftovers(const char *path)
{
    _cleanup_(freep) char *folder = NULL;
    _cleanup_(freep) char *prefix = NULL;
    const struct dirent *entry;
    DIR *dir;

    if (find_target(path, &folder) || asprintf(&prefix, "%s" TEMPORARY, basename(folder)) < 0) {
        prefix = NULL;
        return;
    }
    dir = opendir(dirname(folder));
    if (!dir)
        return;
    while ((entry = readdir(dir)))
        if (is_temporary(entry->d_name, prefix))
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

/* Others must not be able to put another folder in the place of ours. */
static const char *trusted(const char *folder)
{
    return folder && folder[0] == '/' && trust_check(folder, TRUST_FOLDER, NULL) == 0 ? folder
                                                                                      : NULL;
}

void file_private_places(const char *places[static FILE_PRIVATE_PLACES])
{
    places[0] = trusted(process_env("XDG_RUNTIME_DIR"));
    places[1] = "/dev/shm";
    places[2] = trusted(process_env("TMPDIR"));
    places[3] = "/tmp";
}

/* Writes so many bytes, and takes them away again: nothing else tells of quotas. An errno. */
static int find_room(const char *folder, size_t room)
{
    static const char zeros[4096];
    _cleanup_(closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = dir < 0 ? -1 : openat(dir, "room", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int failed = 0;

    if (fd < 0)
        return errno;
    for (size_t len; room > 0 && !failed; room -= len) {
        len = room < sizeof zeros ? room : sizeof zeros;
        failed = write_all(fd, zeros, len);
    }
    if (close(fd) && !failed)
        failed = errno;
    unlinkat(dir, "room", 0);
    return failed;
}

static int make_private_dir(const char *place, const char *prefix, size_t room, char **ret_path)
{
    _cleanup_(freep) char *path = NULL;
    int failed;

    if (asprintf(&path, "%s/%s.XXXXXX", place, prefix) < 0) {
        path = NULL;
        return ENOMEM;
    }
    if (!mkdtemp(path))
        return errno;
    failed = room > 0 ? find_room(path, room) : 0;
    if (failed) {
        rmdir(path);
        return failed;
    }
    *ret_path = TAKE_PTR(path);
    return 0;
}

int file_private_dir(const char *prefix, size_t room, char **ret_path, struct casb_error *err)
{
    const char *places[FILE_PRIVATE_PLACES];
    struct casb_error first = {0}, last = {0};

    file_private_places(places);
    for (size_t i = 0; i < ELEMENTS(places); i++) {
        int failed = places[i] ? make_private_dir(places[i], prefix, room, ret_path) : ENOENT;

        if (!failed)
            return 0;
        if (!places[i])
            continue;
        last = (struct casb_error){0};
        err_set_errno(&last, failed, "make a private folder in '%s'", places[i]);
        err_pass(&first, &last);
    }
    return err_pass_after(err, &last, &first);
}

int file_remove_tree(const char *path, struct casb_error *err)
{
    char *const paths[] = {(char *)path, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
    const FTSENT *entry;
    int failed = tree ? 0 : errno;

    while (tree && (entry = fts_read(tree))) {
        if (entry->fts_info == FTS_D) /* its owner may have taken the right to change it away */
            (void)!chmod(entry->fts_path, 0700);
        else if (remove(entry->fts_path) && errno != ENOENT && !failed)
            failed = errno; /* and goes on: what stays is no reason to leave the rest */
    }
    if (!failed)
        failed = errno; /* which is 0 where fts_read() came to the end */
    if (tree)
        fts_close(tree);
    return failed ? err_set_errno(err, failed, "remove '%s'", path) : 0;
}
