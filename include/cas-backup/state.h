/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State plugins remember what was done, and let one pass of an instance run at a time.
 */
#ifndef CAS_BACKUP_STATE_H
#define CAS_BACKUP_STATE_H

#include <cas-backup/plugin.h>

enum casb_status {
    CASB_NONE = 0,       /* seen or begun, never attempted to an end */
    CASB_REGISTERED = 1, /* the last attempt succeeded */
    CASB_FAILED = 2,     /* the last attempt failed */
};

#define CASB_RECORD_ERROR_BYTES 256

/*
 * What is known about one node, keyed by uid. Strings are borrowed; unknown ones are NULL. Times
 * are seconds since 1970 UTC; 0: never. `registered`, `primary`, `las_key`, `las_source` and
 * `boot_id` describe the last successful registration; a failed attempt leaves them alone.
 * `las_source` is where `las_key` came from; with a '!' in front it is where the node had no key
 * when it was last looked for, and `las_key` came from an earlier place.
 */
struct casb_record {
    const char *uid;
    const char *name;
    const char *source;
    enum casb_status status;
    const char *primary;
    const char *las_key;
    const char *las_source;
    const char *boot_id;
    int64_t registered; /* last success */
    int64_t attempted;  /* last attempt */
    int64_t seen;       /* last scan that found the node; not renewed more than once a day */
    int64_t spawned;    /* a backup CAS was begun and not yet removed; 0: none */
    int64_t changed;    /* since when the machine is not, as far as is known, that one; 0: it is */
    uint32_t attempts;  /* failed ones since the last success */
    const char *error;  /* of the last attempt, at most CASB_RECORD_ERROR_BYTES - 1 bytes */
};

/* Takes one record, borrowed for this call. Non-zero stops the load, which then returns it. */
typedef int casb_record_fn(const struct casb_record *record, void *arg);

/* Says that the lock was lost to somebody else or could not be renewed in time. */
typedef void casb_lost_fn(const char *why, void *arg);

struct casb_state_ops {
    size_t size;

    /*
     * Takes the instance's lock, and keeps it until unlock(). CASB_ECONFLICT, with the holder's
     * name in the text, where another pass holds it. `lost` may be called once, from any
     * thread, before unlock() returns.
     */
    int (*lock)(void *self, const struct casb_call *call, casb_lost_fn *lost, void *arg,
                struct casb_error *err);

    /*
     * Gives every record. Damaged or foreign data costs a warning in the log and that record,
     * never the load. No state at all is no records. Needs no lock.
     */
    int (*load)(void *self, const struct casb_call *call, casb_record_fn *each, void *arg,
                struct casb_error *err);

    /* Writes `count` records durably; records of other nodes stay as they are. Needs the lock. */
    int (*store)(void *self, const struct casb_call *call, const struct casb_record *records,
                 size_t count, struct casb_error *err);

    /* Forgets the records with these uids; an unknown one is a success. Needs the lock. */
    int (*drop)(void *self, const struct casb_call *call, const char *const *uids, size_t count,
                struct casb_error *err);

    /* Gives the lock back. */
    int (*unlock)(void *self, const struct casb_call *call, struct casb_error *err);
};

#endif
