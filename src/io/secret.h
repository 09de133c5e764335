/* io/secret.h
 *
 * References to secrets in configuration: ${env:NAME} and ${file:PATH} anywhere in a text. Whatever a reference
 * yields is registered with nx_log_hide(). Other schemes ("keyvault") are refused by name.
 * Thread   As nx_log_hide: before threads start.
 */
#ifndef NX_IO_SECRET_H
#define NX_IO_SECRET_H

#include "base/str.h"

/* Appends text with its references replaced. NX_NOT_FOUND: variable or file absent (named, with a hint); NX_INVALID:
 * broken reference; NX_UNSUPPORTED: unknown scheme; NX_LIMIT: a file over 64 KiB. A file's trailing line ends are
 * cut. On an error out is as before. */
NX_MUST_USE nx_status nx_secret_resolve(nx_str text, nx_buf *out, nx_err *err);

#endif
