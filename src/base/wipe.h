/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freed memory of the libraries that the owner's key and other secrets pass through. Linked into
 * the executable alone: it is a matter of the whole process.
 */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

#include "base/error.h"

/*
 * Has jansson, OpenSSL, libcurl and libyaml wipe what they free, in the whole process and for good:
 * they work on copies of which nobody else knows. To be called before any of them is used.
 */
int wipe_what_is_freed(struct casb_error *err) _warn_unused_;

#endif
