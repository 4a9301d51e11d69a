/* SPDX-License-Identifier: Apache-2.0 */
#include "base/privatecopy.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define PREFIX "cas-backup-cli"
#define COPY   "config.json"
#define TRIES  8

/* So long a sweep waits for the maker of a folder that is no older than that and has no copy yet.
 */
#define MAKING_S 60
#define LOOKS    50
#define LOOK_NS  (10 * 1000 * 1000)

/* Beside the copy and a second one, when the CLI writes it anew: for whatever else the CLI keeps.
 */
#define CLI_BYTES (64 * 1024)

/* Which every pass looks through, whatever its environment. */
static const char *const known_places[] = {"/dev/shm", "/tmp"};

static void closedirp(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/*
 * Locks a folder of ours that nobody else holds. CASB_ECONFLICT where somebody does, or where it
 * was removed in between.
 */
static int lock_folder(const char *path, int *ret_fd)
{
    _cleanup_(closep) int fd = -1;
    struct stat st;

    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return CASB_ECONFLICT;
    /* Whoever held the lock before may have removed the folder under it. */
    if (fstat(fd, &st) < 0 || st.st_nlink == 0)
        return CASB_ECONFLICT;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* A new folder without its copy: whoever made it is about to lock it. */
static bool is_being_made(const char *folder)
{
    char copy[PATH_MAX];
    struct stat st;

    return lstat(folder, &st) == 0 && time(NULL) - st.st_mtime < MAKING_S &&
           snprintf(copy, sizeof copy, "%s/" COPY, folder) < PATH_MAX && access(copy, F_OK);
}

/*
 * A folder with room for so much. Whoever does not come to lock it in time may lose it to a sweep:
 * then there is another.
 */
static int new_folder(size_t room, struct privatecopy *copy, struct casb_error *err)
{
    for (int i = 0; i < TRIES; i++) {
        int r = file_private_dir(PREFIX, room, &copy->folder, err);

        if (r < 0 || lock_folder(copy->folder, &copy->lock_fd) == 0)
            return r;
        rmdir(copy->folder); /* a sweep that holds it does the same */
        free(TAKE_PTR(copy->folder));
    }
    return err_set(err, CASB_EFAILED, "no private folder could be locked");
}

static bool is_in_known_place(const char *folder)
{
    for (size_t i = 0; i < ELEMENTS(known_places); i++) {
        size_t len = strlen(known_places[i]);

        if (strncmp(folder, known_places[i], len) == 0 && !strchr(folder + len + 1, '/'))
            return true;
    }
    return false;
}

/*
 * A folder that only our environment names: a link in a place that all know leads to it, so that a
 * pass with another environment finds it too. Where none can be made, the folder must do.
 */
static int make_pointer(struct privatecopy *copy, struct casb_error *err)
{
    if (is_in_known_place(copy->folder))
        return 0;
    for (size_t i = 0; i < ELEMENTS(known_places); i++) {
        _cleanup_(freep) char *path = NULL;

        if (asprintf(&path, "%s%s", known_places[i], strrchr(copy->folder, '/')) < 0) {
            path = NULL;
            return err_nomem(err);
        }
        if (symlink(copy->folder, path) == 0) {
            copy->pointer = TAKE_PTR(path);
            return 0;
        }
    }
    return 0;
}

static int fill_folder(struct privatecopy *copy, const struct buf *content, struct casb_error *err)
{
    int r = make_pointer(copy, err);

    if (r < 0)
        return r;
    if (asprintf(&copy->file, "%s/" COPY, copy->folder) < 0) {
        copy->file = NULL;
        return err_nomem(err);
    }
    return file_write_private(copy->file, content->data, content->len, err);
}

int privatecopy_new(const struct buf *content, struct privatecopy *ret, struct casb_error *err)
{
    struct privatecopy copy = PRIVATECOPY_INIT;
    int r;

    r = new_folder(2 * content->len + CLI_BYTES, &copy, err);
    if (r == 0)
        r = fill_folder(&copy, content, err);
    if (r < 0) {
        (void)!privatecopy_remove(&copy, NULL);
        return r;
    }
    *ret = copy;
    return 0;
}

int privatecopy_remove(struct privatecopy *copy, struct casb_error *err)
{
    int r = copy->folder ? file_remove_tree(copy->folder, err) : 0;

    if (copy->pointer && r == 0)
        unlink(copy->pointer);
    free(copy->pointer);
    free(copy->file);
    free(copy->folder);
    closep(&copy->lock_fd);
    *copy = PRIVATECOPY_INIT;
    return r;
}

static int remove_dead(const char *path, size_t *removed, struct casb_error *err)
{
    _cleanup_(closep) int lock_fd = -1;
    int r;

    for (int i = 0; i < LOOKS && is_being_made(path); i++)
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
    if (lock_folder(path, &lock_fd) < 0)
        return 0;
    r = file_remove_tree(path, err);
    *removed += r == 0;
    return r;
}

/* A link of ours: it goes with what it leads to. */
static int follow_pointer(const char *pointer, size_t *removed, struct casb_error *err)
{
    char folder[PATH_MAX];
    ssize_t n = readlink(pointer, folder, sizeof folder - 1);
    const char *name;
    struct stat st;
    int r;

    if (n < 0 || lstat(pointer, &st) || st.st_uid != geteuid())
        return 0;
    folder[n] = '\0';
    name = strrchr(folder, '/');
    if (!name || strncmp(name + 1, PREFIX ".", strlen(PREFIX ".")) != 0)
        return 0;
    r = remove_dead(folder, removed, err);
    if (access(folder, F_OK) && errno == ENOENT)
        unlink(pointer);
    return r;
}

static int look_at(const char *place, const char *name, size_t *removed, struct casb_error *err)
{
    _cleanup_(freep) char *path = NULL;
    struct stat st;

    if (asprintf(&path, "%s/%s", place, name) < 0) {
        path = NULL;
        return err_nomem(err);
    }
    if (lstat(path, &st))
        return 0;
    return S_ISLNK(st.st_mode) ? follow_pointer(path, removed, err)
                               : remove_dead(path, removed, err);
}

static int sweep(const char *place, size_t *removed, struct casb_error *err)
{
    _cleanup_(closedirp) DIR *dir = opendir(place);
    const struct dirent *entry;
    int result = 0;

    while (dir && (entry = readdir(dir))) {
        int r = 0;

        if (strncmp(entry->d_name, PREFIX ".", strlen(PREFIX ".")) == 0)
            r = look_at(place, entry->d_name, removed, err);
        result = result < 0 ? result : r;
    }
    return result;
}

int privatecopy_sweep(size_t *ret_removed, struct casb_error *err)
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
