/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error type that crosses the plugin border and travels up through the host.
 */
#ifndef CAS_BACKUP_ERROR_H
#define CAS_BACKUP_ERROR_H

#include <stdbool.h>

/*
 * Classes of failure. A function that can fail returns 0 or one of these; callers branch on the
 * class and on casb_error.retry, never on the text.
 */
enum casb_code {
    CASB_OK = 0,
    CASB_EINVALID = -1,     /* an argument, a setting or an answer has the wrong form */
    CASB_EDENIED = -2,      /* authentication or permission */
    CASB_ENOTFOUND = -3,    /* the thing named does not exist */
    CASB_ECONFLICT = -4,    /* somebody else holds it or changed it */
    CASB_EUNREACHABLE = -5, /* no connection to the other side, or it broke */
    CASB_ETIMEOUT = -6,     /* the deadline of the call passed */
    CASB_ECANCELLED = -7,   /* the call's cancel_fd became readable */
    CASB_ENOMEM = -8,       /* out of memory */
    CASB_EFAILED = -9,      /* the other side tried and failed; anything else */
};

#define CASB_ERROR_TEXT_BYTES    496
#define CASB_ERROR_SETTING_BYTES 64

/*
 * What went wrong. The caller owns it and starts it with {0}; it has no pointers and needs no
 * destructor. Every function that takes one accepts NULL. The first error set stays; callers
 * further up prefix context to its text. The text is for people: UTF-8, one line, no secrets.
 */
struct casb_error {
    int code;      /* enum casb_code; 0: none yet */
    int sys_errno; /* errno behind it, or 0 */
    int http;      /* HTTP status behind it, or 0 */
    bool retry;    /* the same call may succeed later without anybody mending anything */
    char text[CASB_ERROR_TEXT_BYTES];
    /*
     * From a plugin's open(): the setting that is wrong, as the path in the plugin's own map
     * ("hosts[0].address"). The host says where it stands in the file.
     */
    char setting[CASB_ERROR_SETTING_BYTES];
};

#endif
