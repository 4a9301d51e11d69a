/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-scone-cli/private_copy.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define PREFIX "cas-backup-cli"
#define TRIES  16

static void closedirp(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/*
 * Locks a folder of ours that nobody else holds. CASB_ECONFLICT where somebody does, or where it
 * was removed in between.
 */
static int lock_folder(int parent_fd, const char *name, int *ret_fd)
{
    _cleanup_(closep) int fd = -1;
    struct stat st;

    fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return CASB_ECONFLICT;
    /* Whoever held the lock before may have removed the folder under it. */
    if (fstat(fd, &st) < 0 || st.st_nlink == 0)
        return CASB_ECONFLICT;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* A sweep may take the new folder for a dead one until the lock is there: then make another. */
static int new_folder(struct private_copy *copy, struct casb_error *err)
{
    for (int i = 0; i < TRIES; i++) {
        int r = file_private_dir(PREFIX, &copy->folder, err);

        if (r < 0 || lock_folder(AT_FDCWD, copy->folder, &copy->lock_fd) == 0)
            return r;
        free(TAKE_PTR(copy->folder));
    }
    return err_set(err, CASB_EFAILED, "no private folder could be locked");
}

int private_copy_new(const struct buf *content, struct private_copy *ret, struct casb_error *err)
{
    struct private_copy copy = PRIVATE_COPY_INIT;
    int r;

    r = new_folder(&copy, err);
    if (r < 0)
        return r;
    if (asprintf(&copy.file, "%s/config.json", copy.folder) < 0) {
        copy.file = NULL;
        r = err_nomem(err);
    } else {
        r = file_write_private(copy.file, content->data, content->len, err);
    }
    if (r < 0) {
        (void)!private_copy_remove(&copy, NULL);
        return r;
    }
    *ret = copy;
    return 0;
}

int private_copy_remove(struct private_copy *copy, struct casb_error *err)
{
    int r = copy->folder ? file_remove_tree(copy->folder, err) : 0;

    free(copy->file);
    free(copy->folder);
    closep(&copy->lock_fd);
    *copy = PRIVATE_COPY_INIT;
    return r;
}

static int remove_dead(const char *parent, int parent_fd, const char *name, size_t *removed,
                       struct casb_error *err)
{
    _cleanup_(closep) int lock_fd = -1;
    _cleanup_(freep) char *path = NULL;
    int r;

    if (lock_folder(parent_fd, name, &lock_fd) < 0)
        return 0;
    if (asprintf(&path, "%s/%s", parent, name) < 0) {
        path = NULL;
        return err_nomem(err);
    }
    r = file_remove_tree(path, err);
    *removed += r == 0;
    return r;
}

static int sweep(const char *parent, size_t *removed, struct casb_error *err)
{
    _cleanup_(closedirp) DIR *dir = opendir(parent);
    const struct dirent *entry;
    int result = 0;

    while (dir && (entry = readdir(dir))) {
        int r = 0;

        if (strncmp(entry->d_name, PREFIX ".", strlen(PREFIX ".")) == 0)
            r = remove_dead(parent, dirfd(dir), entry->d_name, removed, err);
        result = result < 0 ? result : r;
    }
    return result;
}

int private_copy_sweep(size_t *ret_removed, struct casb_error *err)
{
    const char *places[FILE_PRIVATE_PLACES];
    size_t removed = 0;
    int result = 0;

    file_private_places(places);
    for (size_t i = 0; i < ELEMENTS(places); i++) {
        int r = places[i] ? sweep(places[i], &removed, err) : 0;

        result = result < 0 ? result : r;
    }
    *ret_removed = removed;
    return result;
}
