/* app/version.h */
#ifndef NX_APP_VERSION_H
#define NX_APP_VERSION_H

#define NX_VERSION "0.1.0"

#endif
