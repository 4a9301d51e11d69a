/* SPDX-License-Identifier: Apache-2.0 */
/* Sets and extends struct casb_error. All functions are thread-safe and accept err == NULL. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/cleanup.h"

#include <cas-backup/error.h>

/*
 * Records a failure and returns `code`, so that a function can end with `return err_set(...)`.
 * An error that is already set stays. Sets `retry` for CASB_EUNREACHABLE.
 */
int err_set(struct casb_error *err, enum casb_code code, const char *format, ...) _printf_(3, 4);

/*
 * The same for a failed system call: the class follows from `sys_errno` and its text is appended.
 */
int err_set_errno(struct casb_error *err, int sys_errno, const char *format, ...) _printf_(3, 4);

/*
 * Puts context in front of an error's text ("context: text") and returns `code`, the class that
 * the failed callee returned.
 */
int err_wrap(struct casb_error *err, int code, const char *format, ...) _printf_(3, 4);

/*
 * Hands on a failure that was kept aside until it was clear that it is one. Returns its class.
 */
int err_pass(struct casb_error *err, const struct casb_error *failure);

/*
 * The same at the end of a loop of tries: beside `failure`, with which it ended, is said with which
 * one it began ("LAST; before that: FIRST"), cut so that both have room; context that both texts
 * begin with is said once. Nothing of `first` where it is none (code 0), or part of `failure`.
 * A loop keeps its first failure by err_pass(&first, &failure), for an error that is set stays.
 */
int err_pass_after(struct casb_error *err, const struct casb_error *failure,
                   const struct casb_error *first);

/*
 * Records that a plugin's setting is wrong, with its path in front of the text: "namespace: ...".
 * Returns CASB_EINVALID.
 */
int err_set_setting(struct casb_error *err, const char *setting, const char *format, ...)
    _printf_(3, 4);

/* Records "out of memory" and returns CASB_ENOMEM. */
int err_nomem(struct casb_error *err);

/* The class's name for people: "timeout". Static. */
const char *err_class_name(int code);

#endif
