/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/file.h"
#include "base/plog.h"
#include "base/jsonx.h"
#include "base/record.h"
#include "base/summary.h"
#include "state-file/document.h"
#include "state-file/own.h"
#include "state-file/state_file.h"

#include <errno.h>
#include <fcntl.h>

#define FILE_BYTES (256U * 1024 * 1024)

/* ---- reading */

/* Unless it may not be the state. Where there is none, *ret_fd is -1. */
static int open_state(const struct state_file *state, int *ret_fd, struct casb_error *err)
{
    _cleanup_(closep) int fd = -1;
    struct casb_error trouble = {0};
    int r = file_open_regular(state->path, O_RDONLY, &fd, &trouble);

    if (!r)
        r = own_check(fd, state->path, &trouble);
    if (r && r != CASB_ENOTFOUND) {
        err_pass(err, &trouble);
        return err_wrap(err, r, "state file");
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* The file's text. An empty file is a damaged one; where there is none, *ret_exists is false. */
static int read_text(const struct state_file *state, struct buf *text, bool *ret_exists,
                     struct casb_error *err)
{
    _cleanup_(closep) int fd = -1;
    int r = open_state(state, &fd, err);

    if (r)
        return r;
    *ret_exists = fd >= 0;
    return fd >= 0 ? file_read_fd(fd, state->path, text, err) : 0;
}

static int not_ours(const struct state_file *state, int class, struct casb_error *err)
{
    return err_set(
        err, class,
        "state file '%s' is another's file, with no version and records in it: it is left "
        "untouched",
        state->path);
}

static int ignore_record(const char *uid, const json_t *value, const char *text, size_t len,
                         void *arg)
{
    (void)uid;
    (void)value;
    (void)text;
    (void)len;
    (void)arg;
    return 0;
}

int store_look(const struct state_file *state, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(FILE_BYTES);
    bool exists;
    int r = read_text(state, &text, &exists, err);

    if (r || !exists)
        return r;
    r = document_read(buf_text(&text), text.len, ignore_record, NULL, NULL, NULL);
    if (r == CASB_ENOMEM)
        return err_nomem(err);
    return r == CASB_EINVALID ? not_ours(state, CASB_EFAILED, err) : 0;
}

struct load {
    const struct state_file *state;
    casb_record_fn *each;
    void *arg;
    bool stopped; /* by `each` */
};

static int give_record(const char *uid, const json_t *value, const char *text, size_t len,
                       void *arg)
{
    struct load *load = arg;
    struct casb_record record;
    struct casb_error trouble = {0};
    int r;

    (void)text;
    (void)len;
    if (record_from_json(uid, value, &record, &trouble)) {
        plog(load->state->host, CASB_WARN, NULL, "state file '%s': record '%s' is ignored: %s",
             load->state->path, uid, trouble.text);
        return 0;
    }
    r = load->each(&record, load->arg);
    load->stopped = r != 0;
    return r;
}

int store_load(void *self, const struct casb_call *call, casb_record_fn *each, void *arg,
               struct casb_error *err)
{
    struct load load = {.state = self, .each = each, .arg = arg};
    _cleanup_(buf_free) struct buf text = BUF_INIT(FILE_BYTES);
    struct casb_error trouble = {0};
    json_auto_t *pass = NULL;
    bool exists;
    int r = read_text(load.state, &text, &exists, err);

    (void)call;
    if (r || !exists)
        return r;
    r = document_read(buf_text(&text), text.len, give_record, &load, &pass, &trouble);
    if (r == 0 || load.stopped)
        return r;
    if (r == CASB_EINVALID)
        return not_ours(load.state, CASB_EINVALID, err);
    if (r == CASB_ENOMEM)
        return err_pass(err, &trouble);
    plog(load.state->host, CASB_WARN, NULL,
         "state file '%s' is damaged, records from there on are ignored: %s", load.state->path,
         trouble.text);
    return 0;
}

/* What is damaged is said where the records are loaded. */
int store_load_pass(void *self, const struct casb_call *call, casb_pass_fn *take, void *arg,
                    struct casb_error *err)
{
    const struct state_file *state = self;
    _cleanup_(buf_free) struct buf text = BUF_INIT(FILE_BYTES);
    json_auto_t *json = NULL;
    struct casb_pass pass;
    bool exists;
    int r = read_text(state, &text, &exists, err);

    (void)call;
    if (r || !exists)
        return r;
    r = document_read(buf_text(&text), text.len, ignore_record, NULL, &json, NULL);
    if (r == CASB_ENOMEM)
        return err_nomem(err);
    summary_from_json(json, &pass);
    if (json)
        take(&pass, arg);
    return 0;
}

/* ---- writing */

/* A name that tells when: "x.json.damaged-2026-11-25T12:00:00.123Z". */
static int set_aside(const struct state_file *state, struct buf *aside, struct casb_error *err)
{
    char time[CLOCK_RFC3339_BYTES];
    int r =
        buf_printf(aside, "%s.damaged-%s", state->path, clock_format(time, clock_wall_ms(), true));

    if (r)
        return err_set(err, r, "the name of the damaged state file is too long");
    /*
     * A second name keeps the first until the new file takes it; some file systems have one only.
     * It is the file's, not that of a link that leads to it: the file is what is replaced.
     */
    if (linkat(AT_FDCWD, state->path, AT_FDCWD, aside->data, AT_SYMLINK_FOLLOW) &&
        rename(state->path, aside->data))
        return err_set_errno(err, errno, "set the damaged '%s' aside", state->path);
    return 0;
}

static int replace(const struct state_file *state, const struct document *doc, const char *damage,
                   struct casb_error *err)
{
    _cleanup_(buf_free) struct buf aside = BUF_INIT(2 * 4096);
    int r = damage ? set_aside(state, &aside, err) : 0;

    if (!r)
        r = file_write(state->path, doc->out.data, doc->out.len, 0600, err);
    if (r && damage && aside.data && access(state->path, F_OK) == 0)
        unlink(aside.data);
    if (!r && damage)
        plog(state->host, CASB_WARN, NULL, "state file '%s' was damaged (%s): kept as '%s'",
             state->path, damage, aside.data);
    return r;
}

struct copy {
    struct document doc;
    json_t *changes;
    const char *pass; /* the text that replaces what was remembered of it; NULL: none does */
    int failed;
};

static int copy_unchanged(const char *uid, const json_t *value, const char *text, size_t len,
                          void *arg)
{
    struct copy *copy = arg;

    (void)value;
    if (!json_object_get(copy->changes, uid))
        copy->failed = document_copy(&copy->doc, text, len);
    return copy->failed;
}

static int end(struct copy *copy, const json_t *old_pass)
{
    _cleanup_(freep) char *old = NULL;
    int r = old_pass && !copy->pass ? jsonx_dump(old_pass, &old, NULL) : 0;

    return r ? r : document_end(&copy->doc, copy->pass ? copy->pass : old);
}

static int put_changes(struct document *doc, json_t *changes)
{
    const char *uid;
    json_t *value;
    int r = 0;

    json_object_foreach (changes, uid, value)
        if (!r && json_is_string(value))
            r = document_put(doc, uid, json_string_value(value));
    return r;
}

/* Damaged records stay as they are; *ret_damage gets why the rest could not be read. */
static int build_next(const struct buf *text, bool exists, struct copy *copy,
                      struct casb_error *ret_damage)
{
    json_auto_t *pass = NULL;
    int r = document_begin(&copy->doc);

    if (!r && exists)
        r = document_read(buf_text(text), text->len, copy_unchanged, copy, &pass, ret_damage);
    if (r && (r == CASB_ENOMEM || copy->failed))
        return r;
    r = put_changes(&copy->doc, copy->changes);
    return r ? r : end(copy, pass);
}

static int change_file(const struct state_file *state, json_t *changes, const char *pass,
                       struct casb_error *err)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(FILE_BYTES);
    struct copy copy = {.doc.out = BUF_INIT(FILE_BYTES), .changes = changes, .pass = pass};
    struct casb_error damage = {0};
    bool exists;
    int r = read_text(state, &text, &exists, err);

    if (r)
        return r;
    r = build_next(&text, exists, &copy, &damage);
    if (damage.code == CASB_EINVALID)
        r = not_ours(state, CASB_EINVALID, err);
    else if (r)
        err_set(err, r, "the records need more memory than there is, or than %u bytes", FILE_BYTES);
    else
        r = replace(state, &copy.doc, damage.code ? damage.text : NULL, err);
    buf_free(&copy.doc.out);
    return r;
}

/* `pass`: the text that replaces what is remembered of it, or NULL. */
static int apply(struct state_file *state, json_t *changes, const char *pass,
                 struct casb_error *err)
{
    int r = 0;

    pthread_mutex_lock(&state->lock);
    if (state->lock_fd < 0)
        r = err_set(err, CASB_EINVALID, "the lock is not held");
    else if (json_object_size(changes) > 0 || pass)
        r = change_file(state, changes, pass, err);
    pthread_mutex_unlock(&state->lock);
    return r;
}

int store_store(void *self, const struct casb_call *call, const struct casb_record *records,
                size_t count, struct casb_error *err)
{
    json_auto_t *changes = NULL;
    int r = record_changes(records, count, &changes, err);

    (void)call;
    return r ? r : apply(self, changes, NULL, err);
}

int store_drop(void *self, const struct casb_call *call, const char *const *uids, size_t count,
               struct casb_error *err)
{
    json_auto_t *changes = NULL;
    int r = record_drops(uids, count, &changes, err);

    (void)call;
    return r ? r : apply(self, changes, NULL, err);
}

int store_store_pass(void *self, const struct casb_call *call, const struct casb_pass *pass,
                     struct casb_error *err)
{
    _cleanup_(freep) char *text = NULL;
    json_auto_t *none = json_object();
    int r = none ? summary_to_text(pass, &text, err) : err_nomem(err);

    (void)call;
    return r ? r : apply(self, none, text, err);
}
