/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State plugins remember what was done, and let one pass of an instance run at a time.
 */
#ifndef CAS_BACKUP_STATE_H
#define CAS_BACKUP_STATE_H

#include <cas-backup/identity.h>
#include <cas-backup/plugin.h>

enum casb_status {
    CASB_NONE = 0,       /* seen or begun, never attempted to an end */
    CASB_REGISTERED = 1, /* the last attempt succeeded */
    CASB_FAILED = 2,     /* the last attempt failed */
};

#define CASB_RECORD_ERROR_BYTES 256

/*
 * What is known about one node, keyed by uid. Strings are borrowed; unknown ones are NULL. Times
 * are seconds since 1970 UTC; 0: never. `registered`, `primary`, `release`, `machine` and
 * `las_source` describe the last successful registration; a failed attempt leaves them alone.
 * `las_source` is where `machine.las` came from; with `las_none` it is where there was none when it
 * was last looked for, and `machine.las` came from an earlier place.
 */
struct casb_record {
    const char *uid;
    const char *name;
    const char *source;
    enum casb_status status;
    const char *primary;
    const char *release; /* what it was made for: the settings' word, or command and image */
    struct casb_machine machine;
    const char *las_source;
    bool las_none;
    int64_t registered;  /* last success */
    int64_t attempted;   /* last attempt */
    int64_t seen;        /* last scan that found the node; not renewed more than once a day */
    int64_t spawned;     /* a backup CAS was begun and not yet removed; 0: none */
    int64_t changed;     /* since when the machine is not, as far as is known, that one; 0: it is */
    int64_t absent;      /* the first complete scan that missed the node; 0: it is present */
    int64_t missed;      /* the last such scan that was counted */
    uint32_t absent_s;   /* for how long such scans went on, without the time when none did */
    uint32_t attempts;   /* failed ones since the last success */
    int64_t told;        /* when its source was last told that it fails; 0: not since it did not */
    int64_t unprotected; /* since when it is selected without a valid registration; 0: it is not */
    const char *reason; /* of the last decision that left it as it is not to be; NULL: it is well */
    const char *error;  /* of the last attempt, at most CASB_RECORD_ERROR_BYTES - 1 bytes */
};

/*
 * What is remembered of the last pass. Strings are borrowed; unknown ones are NULL. Times are
 * seconds since 1970 UTC; 0: never. What is below `finished` is of the last pass that came to its
 * end; where that is before `started` one runs now, or died.
 */
struct casb_pass {
    int64_t started;
    const char *version; /* of the program */
    const char *address; /* the primary's */
    const char *primary; /* its identity, as in the records */
    const char *release; /* what it registers for */
    int64_t min_registered;
    int64_t finished;
    int64_t succeeded; /* when the last one ended with exit status 0 */
    int64_t duration_ms;
    int64_t exit;                                                              /* its exit status */
    int64_t nodes, selected, registered, newly, kept, failed, skipped, absent; /* as reported */
    int64_t chain_not_after; /* end of the primary's pinned chain; 0: none, or unknown */
};

/* Takes what is remembered of the last pass, borrowed for this call. */
typedef void casb_pass_fn(const struct casb_pass *pass, void *arg);

/* Takes one record, borrowed for this call. Non-zero stops the load, which then returns it. */
typedef int casb_record_fn(const struct casb_record *record, void *arg);

/* Says that the lock was lost to somebody else or could not be renewed in time. */
typedef void casb_lost_fn(const char *why, void *arg);

struct casb_state_ops {
    size_t size;

    /*
     * Takes the instance's lock, or that of host->share, and keeps it until unlock(). One share's
     * does not keep another's out where their counts are equal, and any other lock of the instance
     * does; a state that can have one lock only has the shares take turns. CASB_ECONFLICT, with the
     * holder's name in the text, where another pass holds it. `lost` may be called once, from any
     * thread, before unlock() returns.
     */
    int (*lock)(void *self, const struct casb_call *call, casb_lost_fn *lost, void *arg,
                struct casb_error *err);

    /*
     * Gives every record; of several with one uid the last one counts. Damaged or foreign data
     * costs a warning in the log and that record, never the load. No state at all is no records.
     * Needs no lock.
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

    /*
     * Optional, this and the next or neither. Gives what is remembered of the last pass, once; does
     * not call `take` where there is nothing. Needs no lock.
     */
    int (*load_pass)(void *self, const struct casb_call *call, casb_pass_fn *take, void *arg,
                     struct casb_error *err);

    /* Remembers it durably in place of what was there; records stay as they are. Needs the lock. */
    int (*store_pass)(void *self, const struct casb_call *call, const struct casb_pass *pass,
                      struct casb_error *err);
};

#endif
